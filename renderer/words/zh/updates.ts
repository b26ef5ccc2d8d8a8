// 工作站自身更新的文字，以及所含组件的许可证。
export const updates = {
  title: '更新',
  says: '指定位置和密钥之前，更新保持关闭。未经要求不会获取任何内容，批次运行期间也绝不更新。',
  source: '发布位置',
  sourceHint: '文件夹的完整路径，或 http(s) 地址。',
  key: '发布者密钥',
  keyHint: '格式为 name+id+base64，由发布者提供。未经其签名的版本会被拒绝。',
  atStart: '每次启动时检查新版本',
  save: '保存',
  off: '关闭更新',
  check: '立即检查',
  fetch: '获取',
  apply: '安装',
  state: '状态',
  states: {
    off: '更新已关闭。',
    unknown: '尚未检查。',
    checking: '正在检查…',
    current: '已是最新版本。',
    newer: '有新版本 {version}（{day}）。',
    fetching: '正在获取版本 {version}：{percent}',
    fetched: '版本 {version} 已获取，校验通过。',
    applied: '版本 {version} 已就绪。',
  },
  sources: '本工作站直接从源代码运行；更新仅适用于已安装的版本。',
  notAllowed: '更新由管理员设置和安装。',
} as const

export const notices = {
  show: '所含组件的许可证…',
  title: '许可证',
  says: 'Slotwright 采用 Apache-2.0 许可证，包含下列软件包；Electron 和 Chromium 的许可证随程序文件附带。',
  reading: '正在读取…',
} as const
