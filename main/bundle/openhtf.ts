// Runs in the shape of OpenHTF's test records (google/openhtf, core/test_record.py, `as_base_types`), which test databases
// already read: one record a run, one phase a step. A reverted board is a FAIL, since the image was judged and turned
// down; what never came so far is an ERROR; what the operator stopped is ABORTED. Nothing is measured that was not logged.
import type { RunRecord, Story } from './story.ts'

const outcomeOf: Readonly<Record<string, 'PASS' | 'FAIL' | 'ERROR' | 'ABORTED'>> = {
  confirmed: 'PASS', unchanged: 'PASS', uploaded: 'PASS', tested: 'PASS', reverted: 'FAIL', failed: 'ERROR', stopped: 'ABORTED',
}

/** At most this many units are written as files of their own. */
export const unitsMax = 20_000

/** Test records by unit, oldest run first. Runs without an outcome in this range are left out: they have not ended. */
export function recordsByUnit(story: Story): Map<string, object[]> {
  const batches = new Map(story.batches.map((batch) => [batch.batch, batch]))
  const byUnit = new Map<string, object[]>()
  for (const run of story.runs) {
    if (run.outcome === null) continue
    const records = byUnit.get(run.unit) ?? []
    records.push(recordOf(run, batches.get(run.batch)?.name ?? ''))
    byUnit.set(run.unit, records)
  }
  return byUnit
}

function recordOf(run: RunRecord, recipe: string): object {
  const outcome = outcomeOf[run.outcome ?? ''] ?? 'ERROR'
  return {
    dut_id: run.unit,
    station_id: run.station,
    start_time_millis: Date.parse(run.began),
    end_time_millis: run.ended === null ? null : Date.parse(run.ended),
    outcome,
    outcome_details: outcome === 'PASS' ? [] : [{ code: run.failure ?? run.outcome, description: run.says }],
    code_info: { name: 'slotwright', docstring: null, sourcecode: '' },
    metadata: {
      test_name: recipe === '' ? 'provision' : recipe, batch: run.batch, run: run.run, bay: run.bay, slotwright_outcome: run.outcome,
      image_hash: run.imageHash, active_hash: run.activeHash, firmware_version: run.version, config: {},
    },
    phases: run.steps.map((step, i) => ({
      descriptor_id: i,
      name: step.name,
      codeinfo: { name: step.name, docstring: null, sourcecode: '' },
      start_time_millis: Date.parse(step.began),
      end_time_millis: Date.parse(step.ended),
      outcome: step.result,
      result: step.says === '' ? null : step.says,
      options: null,
      measurements: measurementsOf(step.name, run),
      attachments: {},
      diagnosis_results: [],
      failure_diagnosis_results: [],
    })),
    diagnoses: [],
    log_records: [],
  }
}

/** What the board itself said in that phase. */
function measurementsOf(step: string, run: RunRecord): object {
  if (step !== 'return' && step !== 'confirm') return {}
  const measured = { active_hash: run.activeHash, firmware_version: run.version }
  return Object.fromEntries(Object.entries(measured).filter(([, value]) => value !== null).map(([name, value]) => [name, { name, outcome: 'PASS', measured_value: value }]))
}

/**
 * File names of units inside the bundle: readable, and different for different units even where a file system ignores
 * case. `units` in the order of `recordsByUnit`.
 */
export function unitFileNames(units: Iterable<string>): Map<string, string> {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const unit of units) {
    const stem = unit.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 60) || 'unit'
    let name = stem
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${stem}~${n}`
    taken.add(name.toLowerCase())
    names.set(unit, `openhtf/${name}.json`)
  }
  return names
}
