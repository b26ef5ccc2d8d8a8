// How the report looks, on screen, in the dark and on A4. Colours are those of the bays (good green, back amber, bad red),
// dark enough to be told apart in print.

export const reportStyle = `
:root{--ink:#16202a;--soft:#5b6875;--line:#dfe4e9;--paper:#fff;--wash:#f5f7f9;--good:#1b7f4b;--same:#4a9fb5;--back:#c98a12;--bad:#b8322a;--still:#8b95a0;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf2;--soft:#9aa7b4;--line:#2c3843;--paper:#12191f;--wash:#1a232b;--good:#37b277;--same:#5fb9cf;--back:#e0a83a;--bad:#e2635a;--still:#7c8792}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:40px 32px 64px;background:var(--paper);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums}
.kicker{margin:0;color:var(--soft);font-size:12px;letter-spacing:.12em;text-transform:uppercase}
h1{margin:4px 0 6px;font-size:30px;line-height:1.2;overflow-wrap:anywhere}
.lead{margin:0;color:var(--soft);font-size:16px}
header{padding-bottom:20px;border-bottom:3px solid var(--ink)}
h2{margin:36px 0 12px;font-size:18px;break-after:avoid}
.figures{display:flex;flex-wrap:wrap;gap:12px 40px;margin:0 0 16px}
.figures div{display:flex;flex-direction:column-reverse}
.figures dt{color:var(--soft);font-size:13px}
.figures dd{margin:0;font-size:30px;font-weight:650;line-height:1.15}
.bar{display:block;width:100%;height:26px}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;margin:8px 0 0;padding:0;list-style:none}
.legend i{display:inline-block;width:11px;height:11px;margin-right:5px;border-radius:2px}
.legend span{color:var(--soft)}
svg .good{fill:var(--good)}svg .same{fill:var(--same)}svg .back{fill:var(--back)}svg .bad{fill:var(--bad)}svg .still{fill:var(--still)}
i.good{background:var(--good)}i.same{background:var(--same)}i.back{background:var(--back)}i.bad{background:var(--bad)}i.still{background:var(--still)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:20px 32px;margin-top:20px}
figure{margin:0;break-inside:avoid}
figcaption{margin-bottom:2px;font-weight:600}
.columns{display:block;width:100%}
.columns line{stroke:var(--line)}
.columns text{fill:var(--soft);font-size:10px;text-anchor:middle}
table{width:100%;border-collapse:collapse;font-size:12.5px}
thead{display:table-header-group}
th{padding:6px 10px 6px 0;border-bottom:2px solid var(--ink);text-align:left;white-space:nowrap}
td{padding:5px 10px 5px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
tr{break-inside:avoid}
td:not(.hash):not(.number){min-width:4.5em}
.number{text-align:right;white-space:nowrap}
.hash,.id,pre{font-family:ui-monospace,"SF Mono",Consolas,"DejaVu Sans Mono",monospace;font-size:11px;overflow-wrap:anywhere}
.pill{display:inline-block;padding:1px 8px;border-radius:9px;color:#fff;font-weight:600;font-size:11.5px}
.pill.good{background:var(--good)}.pill.same{background:var(--same)}.pill.back{background:var(--back)}.pill.bad{background:var(--bad)}.pill.still{background:var(--still)}
.proof{margin-top:36px;padding:4px 24px 20px;border:1px solid var(--line);border-radius:10px;background:var(--wash);break-inside:avoid}
.proof h2{margin-top:16px}
.with-code{display:flex;gap:28px;align-items:flex-start}
.with-code>div:first-child{flex:1;min-width:0}
.code{flex:none;width:200px;text-align:center;color:var(--soft);font-size:12px}
.code svg{display:block;width:200px;height:200px;background:#fff;border-radius:6px}
.code p{margin:6px 0 0}
.facts{display:grid;grid-template-columns:auto 1fr;gap:2px 16px;margin:10px 0}
.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
pre{margin:10px 0 0;padding:10px 12px;border-radius:6px;background:var(--paper);white-space:pre-wrap}
.kinds{columns:3;margin:0;padding:0;list-style:none}
.more{color:var(--soft)}
footer{margin-top:40px;padding-top:12px;border-top:1px solid var(--line);color:var(--soft);font-size:12px}
@page{size:A4;margin:14mm 13mm 16mm}
@media print{:root{--ink:#000;--soft:#444;--line:#ccc;--paper:#fff;--wash:#fff;--good:#1b7f4b;--same:#4a9fb5;--back:#c98a12;--bad:#b8322a;--still:#8b95a0}
body{max-width:none;padding:0;font-size:10.5pt}table{font-size:8.5pt}.charts{grid-template-columns:1fr 1fr}.pill,svg,i{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
@media (max-width:640px){body{padding:20px 14px}.with-code{flex-direction:column}.kinds{columns:1}.charts{grid-template-columns:1fr}}
`
