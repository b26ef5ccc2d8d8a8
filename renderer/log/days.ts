// Days as a date field has them and times as the log has them: days are the station's own.

/** ISO time as the local day of a date field, `backDays` earlier; empty for none. */
export function dayOf(iso: string | null, backDays: number): string {
  return iso === null ? '' : new Date(Date.parse(iso) - backDays * 24 * 3_600_000 + (backDays > 0 ? 12 * 3_600_000 : 0)).toLocaleDateString('sv-SE')
}

/** Local midnight at the start of a day, days later when told; null when the field holds no day. */
export function midnight(day: string, later: number): string | null {
  const [year, month, date] = day.split('-').map(Number)
  const at = new Date(year ?? NaN, (month ?? NaN) - 1, (date ?? NaN) + later)
  return Number.isNaN(at.getTime()) ? null : at.toISOString()
}
