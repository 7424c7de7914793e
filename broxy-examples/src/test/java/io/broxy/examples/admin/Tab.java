package io.broxy.examples.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.broxy.core.testkit.Peer;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A page in a {@link Browser}. Threading: for one thread; {@link #take} is for the browser's. */
final class Tab implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMillis(Peer.PATIENCE_MILLIS);
    private static final Duration POLL = Duration.ofMillis(20);

    private final Browser browser;
    private final String session;
    private final String context;
    private final List<String> problems = new CopyOnWriteArrayList<>();

    Tab(Browser browser, String session, String context) {
        this.browser = browser;
        this.session = session;
        this.context = context;
    }

    void enable() throws Exception {
        for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
            send(domain + ".enable", new JsonObject());
        }
    }

    /** Takes an event. */
    void take(JsonObject message) {
        String method = message.get("method").getAsString();
        switch (method) {
            case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded" ->
                problems.add(message.getAsJsonObject("params").toString());
            default -> {} // of no interest
        }
    }

    /** What the console shows: exceptions, violations of the policy, requests that failed. */
    List<String> problems() {
        return List.copyOf(problems);
    }

    JsonObject send(String method, JsonObject parameters) throws Exception {
        return browser.send(session, method, parameters);
    }

    void go(String url) throws Exception {
        send("Page.navigate", Browser.object("url", url));
        until("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /** The value of an expression, which may be a promise; it must be JSON. */
    JsonElement value(String expression) throws Exception {
        JsonObject parameters = Browser.object("expression", expression);
        parameters.addProperty("awaitPromise", true);
        parameters.addProperty("returnByValue", true);
        parameters.addProperty("userGesture", true);
        JsonObject result = send("Runtime.evaluate", parameters);
        assertThat(result.get("exceptionDetails")).as(expression).isNull();
        JsonElement value = result.getAsJsonObject("result").get("value");
        return value == null ? JsonNull.INSTANCE : value;
    }

    String text(String expression) throws Exception {
        return value(expression).getAsString();
    }

    int number(String expression) throws Exception {
        return value(expression).getAsInt();
    }

    boolean holds(String expression) throws Exception {
        return value("Boolean(" + expression + ")").getAsBoolean();
    }

    /** Waits until an expression is true. */
    void until(String expression) {
        await(expression).pollInterval(POLL).atMost(PATIENCE).until(() -> holds(expression));
    }

    void click(String selector) throws Exception {
        value("document.querySelector('" + selector + "').click()");
    }

    /** Presses a key, such as {@code Tab} or {@code Enter}. */
    void press(String key) throws Exception {
        for (String type : List.of("keyDown", "keyUp")) {
            JsonObject event = Browser.object("type", type);
            event.addProperty("key", key);
            event.addProperty("code", key);
            event.addProperty("windowsVirtualKeyCode", key.equals("Tab") ? 9 : 13);
            if (key.equals("Enter")) {
                event.addProperty("text", "\r");
            }
            send("Input.dispatchKeyEvent", event);
        }
    }

    /** Types into what has the focus. */
    void type(String text) throws Exception {
        send("Input.insertText", Browser.object("text", text));
    }

    /** Resizes the page, and chooses its colors. */
    void look(int width, int height, boolean dark) throws Exception {
        JsonObject size = new JsonObject();
        size.addProperty("width", width);
        size.addProperty("height", height);
        size.addProperty("deviceScaleFactor", 1);
        size.addProperty("mobile", false);
        send("Emulation.setDeviceMetricsOverride", size);
        JsonObject scheme = Browser.object("name", "prefers-color-scheme");
        scheme.addProperty("value", dark ? "dark" : "light");
        JsonArray features = new JsonArray();
        features.add(scheme);
        JsonObject media = new JsonObject();
        media.add("features", features);
        send("Emulation.setEmulatedMedia", media);
    }

    /** The upper left part of the page, as PNG. */
    byte[] screenshot(int width, int height) throws Exception {
        JsonObject clip = new JsonObject();
        clip.addProperty("x", 0);
        clip.addProperty("y", 0);
        clip.addProperty("width", width);
        clip.addProperty("height", height);
        clip.addProperty("scale", 1);
        JsonObject parameters = Browser.object("format", "png");
        parameters.add("clip", clip);
        return Base64.getDecoder()
                .decode(send("Page.captureScreenshot", parameters).get("data").getAsString());
    }

    @Override
    public void close() throws Exception {
        browser.forget(session);
        browser.send("", "Target.disposeBrowserContext", Browser.object("browserContextId", context));
    }
}
