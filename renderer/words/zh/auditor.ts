// 只读日志窗口的文字。
export const auditor = {
  readOnly: '只读',
  bundle: '审计包 {path}',
  database: '{path}，截至 {at}',
  readAgain: '重新读取',
  reading: '正在读取…',
} as const
