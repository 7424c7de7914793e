package io.broxy.core.testkit;

import io.broxy.core.Broxy;
import io.broxy.core.internal.loop.BufferPool;
import java.lang.reflect.Field;

/** What an engine holds, which its API does not show. Threading: stateless. */
public final class EngineBuffers {
    private EngineBuffers() {}

    /** Bytes of the buffers that its loops have lent to what slow peers leave unwritten. */
    public static long held(Broxy broxy) {
        try {
            Object engine = field(broxy, "engine");
            return ((BufferPool) field(engine, "buffers")).heldBytes();
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("the engine's buffers are not where they were", e);
        }
    }

    private static Object field(Object of, String name) throws ReflectiveOperationException {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }
}
