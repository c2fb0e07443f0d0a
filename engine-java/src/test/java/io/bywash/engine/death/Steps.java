package io.bywash.engine.death;

import java.lang.classfile.Instruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.util.Map;
import java.util.Set;

/**
 * Which calls of the JDK are steps: each that may write to shared memory, and each system call that may change
 * something. What is none is listed too, so that a call of another method, which nobody has thought of, is found by a
 * test.
 */
final class Steps {
  /** By owner, the methods that change nothing that another process could see. */
  private static final Map<String, Set<String>> HARMLESS = Map.ofEntries(
      Map.entry("java/lang/invoke/VarHandle", Set.of("get", "getOpaque", "getAcquire", "getVolatile", "acquireFence",
          "releaseFence", "fullFence", "storeStoreFence", "loadLoadFence")),
      Map.entry("java/lang/foreign/MemorySegment", Set.of("address", "asReadOnly", "asSlice", "byteSize", "get",
          "isNative", "load", "ofArray", "reinterpret")),
      Map.entry("java/lang/invoke/MethodHandle", Set.of("invokeWithArguments")), // makes an object of a hidden class
      Map.entry("java/lang/invoke/MethodHandles$Lookup", Set.of("defineHiddenClass", "ensureInitialized", "findClass",
          "findConstructor", "findVarHandle", "hasFullPrivilegeAccess", "lookupClass")),
      Map.entry("java/nio/file/Files", Set.of("exists", "getAttribute", "getFileStore", "getOwner",
          "getPosixFilePermissions", "isDirectory", "isExecutable", "isWritable", "list", "newDirectoryStream",
          "newInputStream", "readAttributes", "readString", "readSymbolicLink", "size", "walk")),
      Map.entry("java/nio/file/SecureDirectoryStream", Set.of("getFileAttributeView", "newDirectoryStream")),
      Map.entry("java/nio/file/attribute/PosixFileAttributeView", Set.of("readAttributes")),
      Map.entry("java/nio/channels/SeekableByteChannel", Set.of()),
      Map.entry("java/nio/channels/FileChannel", Set.of("isOpen", "size", "position", "read")),
      Map.entry("java/nio/channels/FileLock", Set.of("isValid")),
      Map.entry("java/nio/ByteBuffer", Set.of("allocate", "allocateDirect", "capacity", "clear", "getLong", "limit",
          "order", "wrap")),
      Map.entry("java/lang/AutoCloseable", Set.of()));

  private static final Map<String, Set<String>> WRITING = Map.ofEntries(
      Map.entry("java/lang/invoke/VarHandle", Set.of("set", "setOpaque", "setRelease", "setVolatile", "compareAndSet",
          "compareAndExchange", "compareAndExchangeAcquire", "compareAndExchangeRelease", "weakCompareAndSet",
          "weakCompareAndSetPlain", "weakCompareAndSetAcquire", "weakCompareAndSetRelease", "getAndSet",
          "getAndSetAcquire", "getAndSetRelease", "getAndAdd", "getAndAddAcquire", "getAndAddRelease",
          "getAndBitwiseOr", "getAndBitwiseOrAcquire", "getAndBitwiseOrRelease", "getAndBitwiseAnd",
          "getAndBitwiseAndAcquire", "getAndBitwiseAndRelease", "getAndBitwiseXor", "getAndBitwiseXorAcquire",
          "getAndBitwiseXorRelease")),
      Map.entry("java/lang/foreign/MemorySegment", Set.of("set", "setAtIndex", "setString", "copy", "fill")),
      Map.entry("java/lang/invoke/MethodHandle", Set.of("invokeExact", "invoke")), // the C library
      Map.entry("java/nio/file/Files", Set.of("createDirectory", "createFile", "createLink", "delete", "deleteIfExists",
          "move", "setPosixFilePermissions")),
      Map.entry("java/nio/file/SecureDirectoryStream", Set.of("newByteChannel", "deleteFile", "close")),
      Map.entry("java/nio/file/attribute/PosixFileAttributeView", Set.of("setPermissions")),
      Map.entry("java/nio/channels/SeekableByteChannel", Set.of("close")),
      Map.entry("java/nio/channels/FileChannel",
          Set.of("open", "close", "map", "lock", "tryLock", "write", "truncate")),
      Map.entry("java/nio/channels/FileLock", Set.of("release", "close")),
      Map.entry("java/lang/AutoCloseable", Set.of("close")));

  /** Whoever uses these goes around what is listed above. */
  private static final Set<String> UNKNOWN = Set.of("sun/misc/Unsafe", "jdk/internal/misc/Unsafe",
      "java/io/RandomAccessFile", "java/io/FileOutputStream", "java/io/File", "java/io/FileWriter",
      "java/nio/MappedByteBuffer",
      "java/nio/channels/AsynchronousFileChannel");

  private static final String COPY_TO_ARRAY =
      "(Ljava/lang/foreign/MemorySegment;Ljava/lang/foreign/ValueLayout;JLjava/lang/Object;II)V";

  /** What is known about a method. */
  enum Kind { STEP, HARMLESS, UNKNOWN }

  private static final String ENGINE = "io.bywash.engine.";
  /** Classes that make steps for others, who are the ones to look at. */
  private static final Set<String> TOOLS = Set.of(ENGINE + "internal.memory.Region", ENGINE + "internal.linux.Libc");

  private Steps() {}

  static boolean isTool(String className) {
    return TOOLS.contains(className);
  }

  /** Whether a class of that name makes steps for its own purposes. */
  static boolean isPlace(String className) {
    return className.startsWith(ENGINE) && !className.startsWith(ENGINE + "death.") && !isTool(className);
  }

  /** A place in the engine, as it is told to people. */
  static String place(String className, String method, int line) {
    return className.substring(ENGINE.length()) + "." + method + ":" + line;
  }

  static Kind kind(String owner, String name, String descriptor) {
    if (UNKNOWN.contains(owner)) {
      return Kind.UNKNOWN;
    }
    if (!HARMLESS.containsKey(owner)) { // most reach neither memory nor the operating system
      return owner.startsWith("java/nio/channels/") && !owner.endsWith("Exception") ? Kind.UNKNOWN : Kind.HARMLESS;
    }
    if (HARMLESS.get(owner).contains(name) || descriptor.equals(COPY_TO_ARRAY)) {
      return Kind.HARMLESS;
    }
    return WRITING.getOrDefault(owner, Set.of()).contains(name) ? Kind.STEP : Kind.UNKNOWN;
  }

  static boolean isStep(Instruction instruction) {
    return instruction instanceof InvokeInstruction call && kind(call) == Kind.STEP;
  }

  static Kind kind(InvokeInstruction call) {
    return kind(call.owner().asInternalName(), call.name().stringValue(), call.type().stringValue());
  }

  /** Whether a step is a bulk write, which is done in two halves. */
  static boolean isBulk(InvokeInstruction call) {
    return kind(call) == Kind.STEP && call.owner().asInternalName().equals("java/lang/foreign/MemorySegment")
        && Set.of("copy", "fill").contains(call.name().stringValue());
  }
}
