// The bridge's two channels, and what the window is started with. They stand alone because the sandboxed preload script needs them and must stay small.

/** Calls from the window: method name and arguments in, a Reply out. */
export const callChannel = 'slotwright:call'
/** Events to the window: a list of StationEvents each, in their order. */
export const eventChannel = 'slotwright:event'
/** How the preload script is told the system's languages, with commas between them. */
export const languagesArgument = '--system-languages='
