// How the report looks, on screen, in the dark and on A4. Colours are those of the bays (good green, back amber, bad red),
// dark enough to be told apart in print.

export const reportStyle = `
:root{--ink:#16202a;--soft:#5b6875;--line:#dfe4e9;--paper:#fff;--wash:#f5f7f9;--good:#1b7f4b;--same:#4a9fb5;--back:#c98a12;--bad:#b8322a;--still:#8b95a0;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf2;--soft:#9aa7b4;--line:#2c3843;--paper:#12191f;--wash:#1a232b;--good:#37b277;--same:#5fb9cf;--back:#e0a83a;--bad:#e2635a;--still:#7c8792}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:40px 32px 64px;background:var(--paper);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums}
.kicker{margin:0;color:var(--soft);font-size:12px;letter-spacing:.12em;text-transform:uppercase}
h1{margin:4px 0 6px;font-size:30px;line-height:1.2;overflow-wrap:anywhere;text-wrap:balance}
.lead{margin:0;color:var(--soft);font-size:16px;text-wrap:balance}
header{display:flex;gap:32px;justify-content:space-between;align-items:flex-end;padding-bottom:16px;border-bottom:3px solid var(--ink)}
header>div:first-child{flex:1;min-width:0}
h2{margin:32px 0 10px;font-size:18px;break-after:avoid}
.figures{display:flex;flex-wrap:wrap;gap:12px 40px;margin:18px 0 0}
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
.columns{display:block;width:100%;max-width:460px;overflow:visible}
.columns line{stroke:var(--line)}
.columns text{fill:var(--soft);font-size:12px;text-anchor:middle}
table{width:100%;border-collapse:collapse;font-size:12.5px}
thead{display:table-header-group}
th{padding:6px 10px 6px 0;border-bottom:2px solid var(--ink);text-align:left;white-space:nowrap}
td{padding:5px 10px 5px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th.number,td.number{padding-right:16px}
td.short{overflow-wrap:normal;white-space:nowrap}
td.unit{min-width:9em;font-weight:600}
tr,.whole{break-inside:avoid}
td:not(.hash):not(.number):not(.unit){min-width:4.5em}
.number{text-align:right;white-space:nowrap}
.hash,.id,pre{font-family:ui-monospace,"SF Mono",Consolas,"DejaVu Sans Mono",monospace;font-size:11px;overflow-wrap:anywhere}
.outcome{font-weight:600}
.outcome::before{content:"";display:inline-block;width:10px;height:10px;margin-right:6px;border-radius:2px;background:var(--still)}
.outcome.good::before{background:var(--good)}.outcome.same::before{background:var(--same)}.outcome.back::before{background:var(--back)}.outcome.bad::before{background:var(--bad)}
.marks{display:grid;grid-template-columns:auto 1fr;gap:0 8px;align-items:baseline;margin:0}.marks dt{color:var(--soft)}.marks dd{margin:0;overflow-wrap:anywhere}
.two{display:grid;grid-template-columns:1fr 1fr;gap:0 32px}
.proof{margin-top:28px;padding:0 24px 18px;border:1px solid var(--line);border-radius:10px;background:var(--wash);break-inside:avoid}
.proof h2{margin-top:16px}
.with-code{display:flex;gap:28px;align-items:flex-start}
.with-code>div:first-child{flex:1;min-width:0}
.code{flex:none;width:200px;text-align:center;color:var(--soft);font-size:12px}
.code svg{display:block;width:200px;height:200px;background:#fff;border-radius:6px}
.code p{margin:6px 0 0}
.facts{display:grid;grid-template-columns:6.5em 1fr;gap:2px 16px;align-items:baseline;margin:10px 0}
.two .facts{margin:0}.two+.facts{margin-top:2px}
.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
pre{margin:10px 0 0;padding:10px 12px;border-radius:6px;background:var(--paper);white-space:pre-wrap}
.kinds{columns:3;margin:0;padding:0;list-style:none}
.more{color:var(--soft)}
footer{margin-top:40px;padding-top:12px;border-top:1px solid var(--line);color:var(--soft);font-size:12px}
@page{size:A4;margin:14mm 13mm 16mm}
@media print{:root{--ink:#000;--soft:#444;--line:#ccc;--paper:#fff;--wash:#fff;--good:#1b7f4b;--same:#4a9fb5;--back:#c98a12;--bad:#b8322a;--still:#8b95a0}
body{max-width:none;padding:0;font-size:10.5pt}table{font-size:8.5pt}h2{margin-top:24px}.charts{grid-template-columns:1fr 1fr;gap:12px 32px;margin-top:14px}.proof{margin-top:22px}.code,.code svg{width:44mm}.code svg{height:44mm}.outcome::before,svg,i{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
@media (max-width:640px){body{padding:20px 14px}.with-code,header{flex-direction:column;align-items:stretch}.code{align-self:center}.kinds{columns:1}.charts{grid-template-columns:1fr}}
`
