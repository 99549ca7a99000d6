// #region Errors
// What calls raise. A fault of the network that nobody awaits ends nothing; every other error that is not caught ends the
// program, with its trace in the log.

/**
 * Name, message and place of the last error that a call of the Repy API raised, also when it was caught; null before
 * there was one. Errors of the program's own are not among them: unlike Python, JavaScript keeps no record of them.
 * @example
 * log(getlasterror() ?? 'all is well', '\n'); // logs: all is well
 */
declare function getlasterror(): string | null;

/**
 * The class of them all. `code` is for programs, `message` for people: it says what was expected and what came.
 * @example
 * try {
 *   await sleep(-1);
 * } catch (error) {
 *   if (!(error instanceof RepyError)) throw error;
 *   log(error.code, '\n'); // logs: ARGUMENT
 * }
 */
declare class RepyError extends Error {
  readonly code: string;
}
/** A value of the wrong type or out of its range. Code `ARGUMENT`. */
declare class RepyArgumentError extends RepyError {}
/** More than the vessel may have or use at once. Code `RESOURCE_EXHAUSTED`. */
declare class ResourceExhaustedError extends RepyError {}
/** A port or destination that the vessel may not use. Code `RESOURCE_FORBIDDEN`. */
declare class ResourceForbiddenError extends RepyError {}
/** Neither an address nor a name that leads to one. Code `NETWORK_ADDRESS`. */
declare class NetworkAddressError extends RepyError {}
/** The program listens there already. Code `ALREADY_LISTENING`. */
declare class AlreadyListeningError extends RepyError {}
/** The address and port are in use. Code `DUPLICATE_TUPLE`. */
declare class DuplicateTupleError extends RepyError {}
/** The local address is not this node's. Code `ADDRESS_BINDING`. */
declare class AddressBindingError extends RepyError {}
/** Nobody listens there. Code `CONNECTION_REFUSED`. */
declare class ConnectionRefusedError extends RepyError {}
/** No answer in time. Code `TIMEOUT`. */
declare class TimeoutError extends RepyError {}
/** No way there now. Code `INTERNET_CONNECTIVITY`. */
declare class InternetConnectivityError extends RepyError {}
/** The system has not yet forgotten a connection between the same ends; a minute later it has. Code `CLEANUP_IN_PROGRESS`. */
declare class CleanupInProgressError extends RepyError {}
/** This program closed the connection. Code `SOCKET_CLOSED_LOCAL`. */
declare class SocketClosedLocalError extends RepyError {}
/** The peer closed the connection. Code `SOCKET_CLOSED_REMOTE`. */
declare class SocketClosedRemoteError extends RepyError {}
/** For programs of Seattle that catch it: here calls wait instead. No call raises it. Code `SOCKET_WOULD_BLOCK`. */
declare class SocketWouldBlockError extends RepyError {}
/** For programs of Seattle that catch it: a listener keeps its address here. No call raises it. Code `LOCAL_IP_CHANGED`. */
declare class LocalIPChangedError extends RepyError {}
/** For programs of Seattle that catch it: as `LocalIPChangedError`. No call raises it. Code `TCP_SERVER_SOCKET_INVALID`. */
declare class TCPServerSocketInvalidError extends RepyError {}
/** No file of that name. Code `FILE_NOT_FOUND`. */
declare class FileNotFoundError extends RepyError {}
/** The file is open. Code `FILE_IN_USE`. */
declare class FileInUseError extends RepyError {}
/** An offset beyond the end of the file. Code `SEEK_PAST_END_OF_FILE`. */
declare class SeekPastEndOfFileError extends RepyError {}
/** This program closed the file. Code `FILE_CLOSED`. */
declare class FileClosedError extends RepyError {}
/** The runtime itself failed. Code `INTERNAL`. */
declare class InternalError extends RepyError {}
/** A lock that is free was released. Code `LOCK_DOUBLE_RELEASE`. */
declare class LockDoubleReleaseError extends RepyError {}
/** An `AbortController` was told to abort. Code `ABORTED`. */
declare class AbortError extends RepyError {}
/** Code for `createvirtualnamespace` that does not compile, or imports or exports. Code `CODE_UNSAFE`. */
declare class CodeUnsafeError extends RepyError {}
/** Names or values for `evaluate` that an inner program cannot have. Code `CONTEXT_UNSAFE`. */
declare class ContextUnsafeError extends RepyError {}
/** A layer broke its own contract. Code `LAYER`. */
declare class LayerError extends RepyError {}
// #endregion
