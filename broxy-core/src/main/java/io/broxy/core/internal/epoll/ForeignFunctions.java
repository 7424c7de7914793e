package io.broxy.core.internal.epoll;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Functions of the C library through {@code java.lang.foreign}, by reflection, because this class is compiled for Java 17.
 *
 * <p>One method handle calls every function, as if it took six {@code long} and returned one: each further kind of call would take
 * the JVM some 10 ms and a megabyte to link. On Linux, the C ABIs of x86-64 and AArch64 pass integers and pointers in registers of
 * 64 bits, of which a function uses as many, and of each as many bits, as it has parameters; the result of one that returns an
 * {@code int} is in the lower 32 bits.
 *
 * <p>Threading: thread-safe.
 */
final class ForeignFunctions {
    /** The number of arguments that a call takes. */
    private static final int ARGUMENTS = 6;

    private static final List<String> ARCHITECTURES = List.of("amd64", "aarch64");

    private static final Class<?> LINKER = type("Linker");
    private static final Class<?> OPTION = type("Linker$Option");
    private static final Class<?> SEGMENT = type("MemorySegment");
    private static final Class<?> LAYOUT = type("MemoryLayout");
    private static final Class<?> DESCRIPTOR = type("FunctionDescriptor");

    private final Object linker;
    private final Object symbols;

    /**
     * Looks for the API.
     *
     * @throws UnsupportedOperationException if the JVM is older than Java 22, or the processor is an unknown one
     */
    ForeignFunctions() throws ReflectiveOperationException {
        String architecture = System.getProperty("os.arch");
        if (!ARCHITECTURES.contains(architecture)) {
            throw new UnsupportedOperationException(
                    "the processor is " + architecture + ", not one of " + ARCHITECTURES);
        }
        linker = LINKER.getMethod("nativeLinker").invoke(null);
        symbols = LINKER.getMethod("defaultLookup").invoke(linker);
    }

    private static Class<?> type(String name) {
        try {
            return Class.forName("java.lang.foreign." + name);
        } catch (ClassNotFoundException e) {
            throw new UnsupportedOperationException("Java 22 or newer is needed", e);
        }
    }

    /** Memory into which a call puts its error number. Threading: for one thread at a time. */
    static Object allocateErrno() throws ReflectiveOperationException {
        Class<?> arena = type("Arena");
        Object layout = OPTION.getMethod("captureStateLayout").invoke(null);
        return arena.getMethod("allocate", LAYOUT)
                .invoke(arena.getMethod("ofAuto").invoke(null), layout);
    }

    static ByteBuffer asByteBuffer(Object segment) throws ReflectiveOperationException {
        return (ByteBuffer) SEGMENT.getMethod("asByteBuffer").invoke(segment);
    }

    /** The address of a function. */
    Object address(String name) throws ReflectiveOperationException {
        return ((Optional<?>)
                        type("SymbolLookup").getMethod("find", String.class).invoke(symbols, name))
                .orElseThrow(() -> new UnsupportedOperationException("the C library has no " + name));
    }

    /** A handle of the type {@code (ByteBuffer)long}: the address of a direct buffer's position. */
    static MethodHandle addressOfBuffer() throws ReflectiveOperationException {
        MethodHandles.Lookup lookup = MethodHandles.publicLookup();
        MethodHandle segment = lookup.findStatic(SEGMENT, "ofBuffer", MethodType.methodType(SEGMENT, Buffer.class));
        MethodHandle address = lookup.findVirtual(SEGMENT, "address", MethodType.methodType(long.class));
        return MethodHandles.filterReturnValue(segment, address)
                .asType(MethodType.methodType(long.class, ByteBuffer.class));
    }

    /**
     * Calls functions that return at once. The call does not leave the JVM's state of running Java, so it is as cheap as one in C,
     * and holds up a safepoint until it returns. The handle takes the function's address, memory for the error number, and six
     * {@code long}.
     */
    MethodHandle promptCalls() throws ReflectiveOperationException {
        return calls(errno(), OPTION.getMethod("critical", boolean.class).invoke(null, false));
    }

    /** As {@link #promptCalls}, for functions that may block. */
    MethodHandle blockingCalls() throws ReflectiveOperationException {
        return calls(errno());
    }

    private static Object errno() throws ReflectiveOperationException {
        return OPTION.getMethod("captureCallState", String[].class).invoke(null, (Object) new String[] {"errno"});
    }

    private MethodHandle calls(Object... options) throws ReflectiveOperationException {
        Object aLong = type("ValueLayout").getField("JAVA_LONG").get(null);
        Object parameters = array(LAYOUT, aLong, aLong, aLong, aLong, aLong, aLong);
        Object descriptor =
                DESCRIPTOR.getMethod("of", LAYOUT, parameters.getClass()).invoke(null, aLong, parameters);
        Object optionArray = array(OPTION, options);
        try {
            MethodHandle handle = (MethodHandle) LINKER.getMethod("downcallHandle", DESCRIPTOR, optionArray.getClass())
                    .invoke(linker, descriptor, optionArray);
            Class<?>[] longs = new Class<?>[ARGUMENTS];
            Arrays.fill(longs, long.class);
            return handle.asType(
                    MethodType.methodType(long.class, longs).insertParameterTypes(0, Object.class, Object.class));
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause; // the JVM denies native access
            }
            throw e;
        }
    }

    private static Object array(Class<?> type, Object... elements) {
        Object array = Array.newInstance(type, elements.length);
        System.arraycopy(elements, 0, array, 0, elements.length);
        return array;
    }
}
