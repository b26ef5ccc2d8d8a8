// What the line bench and its station process say to each other.

/** Which core each side is pinned to; null: wherever the system likes. */
export type Cores = Readonly<{ station: number | null; boards: number | null }>

export type LineCase = Readonly<{
  is: 'batch' | 'encode-once' | 'encode-each'
  boards: number
  baud: number
  bytes: number
  cores: Cores
}>

export type LineFigures = Readonly<{
  boards: number
  baud: number
  bytes: number
  /** From the order to the last board's outcome, identification included. */
  seconds: number
  uploaded: number
  /** What went wrong, at most three. */
  failures: readonly string[]
  /** Upload rate of a board, image bytes a second, as the log has it. */
  medianBytesPerSecond: number
  leastBytesPerSecond: number
  totalBytesPerSecond: number
  /** Processor time over time; 1 is a whole core. */
  stationCpuShare: number
  boardsCpuShare: number
  stationCpuSeconds: number
  delayP99Ms: number
  delayMaxMs: number
  /** Resident memory at its peak less what it was before a board was attached, by the number of boards. */
  memoryMiBPerBoard: number
  peakMiB: number
  /** Rows for the window. */
  rowsPerSecond: number
}>

export type EncodeFigures = Readonly<{
  shared: boolean
  boards: number
  baud: number
  bytes: number
  seconds: number
  cpuSeconds: number
  encodedFrames: number
  chunks: number
  memoryMiBPerBoard: number
}>

export type PeerFigures = Readonly<{
  client: string
  boards: number
  baud: number
  bytes: number
  seconds: number
  done: number
  totalBytesPerSecond: number
  clientCpuSeconds: number
}>
