// The bridge's two channels. They stand alone because the sandboxed preload script needs them and must stay small.

/** Calls from the window: method name and arguments in, a Reply out. */
export const callChannel = 'slotwright:call'
/** Events to the window: a list of StationEvents each, in their order. */
export const eventChannel = 'slotwright:event'
