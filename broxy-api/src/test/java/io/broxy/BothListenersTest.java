package io.broxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Specifies two listeners of one handler. */
class BothListenersTest {
    private final List<String> notified = new ArrayList<>();

    /** A listener that records, by reflection, so that an event added later cannot be forgotten. */
    private ProxyListener recording(String name, boolean failing) {
        return (ProxyListener) Proxy.newProxyInstance(
                ProxyListener.class.getClassLoader(), new Class<?>[] {ProxyListener.class}, (self, method, values) -> {
                    notified.add(name + " " + method.getName());
                    if (failing) {
                        throw new IllegalStateException(name);
                    }
                    return null;
                });
    }

    private static List<Method> events() {
        return Arrays.stream(ProxyListener.class.getMethods())
                .filter(method -> method.getReturnType() == void.class)
                .toList();
    }

    private static void notifyOf(Method event, ProxyListener listener) throws Throwable {
        try {
            event.invoke(listener, new Object[event.getParameterCount()]);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    @Test
    void eachEventGoesToTheFirstAndThenToTheSecond() throws Throwable {
        ProxyListener both = recording("a", false);
        both = new BothListeners(both, recording("b", false));
        assertThat(events()).hasSizeGreaterThanOrEqualTo(9);
        for (Method event : events()) {
            notified.clear();
            notifyOf(event, both);
            assertThat(notified).containsExactly("a " + event.getName(), "b " + event.getName());
        }
    }

    @Test
    void theSecondIsNotifiedEvenIfTheFirstThrows() {
        ProxyListener both = new ProxyListener() {}.and(new BothListeners(recording("a", true), recording("b", true)));
        for (Method event : events()) {
            notified.clear();
            assertThatThrownBy(() -> notifyOf(event, both))
                    .hasMessage("a")
                    .satisfies(failure -> assertThat(failure.getSuppressed())
                            .extracting(Throwable::getMessage)
                            .containsExactly("b"));
            assertThat(notified).hasSize(2);
        }
    }

    @Test
    @SuppressWarnings("NullAway") // misuse
    void aMissingListenerIsRefused() {
        assertThatThrownBy(() -> new ProxyListener() {}.and(null)).isInstanceOf(NullPointerException.class);
    }
}
