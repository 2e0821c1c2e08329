import { CloseCode } from "@pm/proto";

/** The code with which ws closes after it has refused a frame; undefined for an error of the socket itself. */
export function closeCodeOfRefusal(code: string | undefined): CloseCode | undefined {
  if (code?.startsWith("WS_ERR_") !== true) return undefined;
  switch (code) {
    case "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH":
    case "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH":
      return CloseCode.TOO_BIG;
    case "WS_ERR_INVALID_UTF8":
      return CloseCode.INVALID_UTF8;
    case "WS_ERR_TOO_MANY_BUFFERED_PARTS":
      return CloseCode.POLICY;
    default:
      return CloseCode.PROTOCOL_ERROR;
  }
}
