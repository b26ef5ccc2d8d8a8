// 程序自身的简体中文文字：系统对话框、菜单、最后的提示。
import type { ShellWords } from './en.ts'

export const zh: ShellWords = {
  allFiles: '所有文件',
  open: {
    firmware: { title: '选择固件', files: '固件' },
    image: { title: '选择已签名的镜像、固件包或更新归档', files: '已签名的镜像、固件包或归档' },
    key: { title: '选择密钥', files: 'PEM' },
    module: { title: '选择令牌的 PKCS#11 模块', files: 'PKCS#11 模块' },
    text: { title: '选择签名', files: '签名（base64）' },
    value: { title: '选择要放入 TLV 的文件', files: '' },
    table: { title: '选择设备数据表', files: '表格' },
    folder: { title: '选择接收事件的文件夹', files: '' },
    log: { title: '选择要查看的日志', files: '日志或审计包' },
  },
  save: {
    signed: { title: '保存已签名的镜像', files: '已签名的镜像' },
    digest: { title: '保存待签名的内容', files: '摘要' },
    bundle: { title: '保存审计包', files: '审计包' },
    recall: { title: '保存追溯到的设备', files: '表格' },
    history: { title: '保存设备的历史', files: '表格' },
    receipts: { title: '保存加载回执', files: '加载回执' },
    'report-html': { title: '保存报告', files: '网页' },
    'report-pdf': { title: '保存报告', files: 'PDF' },
    'label-zpl': { title: '保存标签', files: 'ZPL 标签' },
    'label-pdf': { title: '保存标签', files: 'PDF' },
  },
  quit: {
    title: '批次正在运行',
    message: '批次正在运行。',
    detail: '正在写入的板卡将以“停止”结束；每块板卡都保有可启动的镜像。日志记录各自的进度。',
    keep: '继续运行',
    stop: '停止批次并退出',
  },
  menu: {
    station: '工作站', lookFile: '查看日志文件或审计包…', lookHome: '查看某个数据目录的日志…', quit: '退出',
    edit: '编辑', undo: '撤销', redo: '重做', cut: '剪切', copy: '复制', paste: '粘贴', selectAll: '全选',
    view: '视图', reload: '重新加载', actualSize: '实际大小', zoomIn: '放大', zoomOut: '缩小', fullScreen: '全屏', tools: '开发者工具',
  },
  notOpened: '日志未能打开',
  fault: {
    title: 'Slotwright 已停止',
    says: 'Slotwright 出现故障，无法继续。',
    station: '日志完好：已完成的操作都已写入，下次启动会说明每块板卡的进度。',
    auditor: '所查看的日志没有改变。',
    more: '终端中有更多信息。',
  },
}
