/** Messages in one client frame. */
export const MAX_FRAME_MESSAGES = 256;
/** Fields, over all levels, in one client frame: 16 a message. */
export const MAX_FRAME_FIELDS: number = 16 * MAX_FRAME_MESSAGES;
/** Levels of nesting in one client frame in JSON; pm.v1 itself needs 5. */
export const MAX_JSON_DEPTH = 8;
