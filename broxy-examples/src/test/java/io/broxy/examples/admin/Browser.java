package io.broxy.examples.admin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.broxy.core.testkit.Daemon;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A headless Chromium, driven by the DevTools protocol over a pipe, so that it listens on no port. Where there is none,
 * the test is skipped.
 *
 * <p>Threading: thread-safe.
 */
final class Browser implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 60;

    /** The pipe is expected at the descriptors 3 and 4. */
    private static final String TO_PIPE = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null";

    private final Process process;
    private final OutputStream out;
    private final Map<Integer, CompletableFuture<JsonObject>> answers = new ConcurrentHashMap<>();
    private final Map<String, Consumer<JsonObject>> sessions = new ConcurrentHashMap<>();
    private int lastId; // guarded by this

    private Browser(Process process) {
        this.process = process;
        this.out = process.getOutputStream();
        Thread reader = new Thread(this::read, "devtools");
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Starts it.
     *
     * @param folder for its profile and what it prints
     */
    static Browser start(Path folder) throws IOException {
        List<String> command = List.of(
                "/bin/sh",
                "-c",
                TO_PIPE,
                Daemon.program("chromium"),
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-extensions",
                "--disable-sync",
                "--no-first-run",
                "--no-proxy-server",
                "--hide-scrollbars",
                "--host-resolver-rules=MAP *.test 127.0.0.1",
                "--user-data-dir=" + folder.resolve("profile"),
                "about:blank");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectError(folder.resolve("chromium.log").toFile());
        builder.environment()
                .keySet()
                .removeIf(name -> name.toLowerCase(Locale.ROOT).endsWith("_proxy"));
        return new Browser(builder.start());
    }

    /** Opens an empty page that shares nothing with others. */
    Tab open() throws Exception {
        String context = send("", "Target.createBrowserContext", new JsonObject())
                .get("browserContextId")
                .getAsString();
        JsonObject blank = object("url", "about:blank");
        blank.addProperty("browserContextId", context);
        String target = send("", "Target.createTarget", blank).get("targetId").getAsString();
        JsonObject attach = object("targetId", target);
        attach.addProperty("flatten", true);
        String session =
                send("", "Target.attachToTarget", attach).get("sessionId").getAsString();
        Tab tab = new Tab(this, session, context);
        sessions.put(session, tab::take);
        tab.enable();
        return tab;
    }

    /** The CPU time of its processes so far in seconds, by kind: {@code browser}, {@code renderer}, … */
    Map<String, Double> cpuSeconds() throws Exception {
        Map<String, Double> seconds = new ConcurrentHashMap<>();
        JsonArray processes =
                send("", "SystemInfo.getProcessInfo", new JsonObject()).getAsJsonArray("processInfo");
        for (JsonElement each : processes) {
            JsonObject info = each.getAsJsonObject();
            seconds.merge(info.get("type").getAsString(), info.get("cpuTime").getAsDouble(), Double::sum);
        }
        return seconds;
    }

    /** Sends a command, and returns its result. */
    JsonObject send(String session, String method, JsonObject parameters) throws Exception {
        JsonObject command = object("method", method);
        command.add("params", parameters);
        if (!session.isEmpty()) {
            command.addProperty("sessionId", session);
        }
        CompletableFuture<JsonObject> answer = new CompletableFuture<>();
        synchronized (this) {
            command.addProperty("id", ++lastId);
            answers.put(lastId, answer);
            out.write((command + "\0").getBytes(UTF_8));
            out.flush();
        }
        JsonObject message = answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertThat(message.get("error")).as(method).isNull();
        return message.getAsJsonObject("result");
    }

    static JsonObject object(String name, String value) {
        JsonObject object = new JsonObject();
        object.addProperty(name, value);
        return object;
    }

    private void read() {
        try (InputStream in = new BufferedInputStream(process.getInputStream())) {
            ByteArrayOutputStream message = new ByteArrayOutputStream();
            for (int next = in.read(); next >= 0; next = in.read()) {
                if (next == 0) {
                    take(JsonParser.parseString(message.toString(UTF_8)).getAsJsonObject());
                    message.reset();
                } else {
                    message.write(next);
                }
            }
        } catch (IOException e) {
            // it has ended
        }
        IOException ended = new IOException("Chromium has ended");
        answers.values().forEach(answer -> answer.completeExceptionally(ended));
    }

    private void take(JsonObject message) {
        JsonElement id = message.get("id");
        if (id != null) {
            CompletableFuture<JsonObject> answer = answers.remove(id.getAsInt());
            if (answer != null) {
                answer.complete(message);
            }
        } else if (message.has("sessionId")) {
            Consumer<JsonObject> session = sessions.get(message.get("sessionId").getAsString());
            if (session != null) {
                session.accept(message);
            }
        }
    }

    void forget(String session) {
        sessions.remove(session);
    }

    /** Ends it with its children. */
    @Override
    public void close() {
        Daemon.end(process);
    }
}
