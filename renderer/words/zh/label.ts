// 设备标签的文字。
export const label = {
  title: '{unit} 的标签',
  open: '标签…',
  says: '设备最近一次报告的内容，附指向该日志条目的二维码。',
  width: '宽度（mm）',
  height: '高度（mm）',
  dpi: '打印机分辨率（dpi）',
  set: '设定尺寸',
  zpl: '保存 ZPL…',
  pdf: '保存 PDF…',
  print: '打印…',
  code: '二维码内容',
} as const
