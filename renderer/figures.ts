// Figures as people read them: sizes in binary units (flash is bought in them), times short enough for a tile. They are
// written as the spoken language writes numbers and dates (Intl); B, KiB, s and ms are the same signs in all of them.
// Words around the figures live in words/.
import { spoken, tagOf } from './words/locale.ts'

const formats = new Map<string, Intl.NumberFormat>()
const formatsMax = 64

/** A number with so many digits after the point, without marks between thousands: they would not fit a tile. */
export function decimalText(value: number, after: number): string {
  return formatOf({ minimumFractionDigits: after, maximumFractionDigits: after, useGrouping: false }).format(value)
}

function formatOf(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const tag = tagOf(spoken.value)
  const name = `${tag} ${JSON.stringify(options)}`
  const known = formats.get(name)
  if (known !== undefined) return known
  if (formats.size >= formatsMax) formats.clear()
  const made = new Intl.NumberFormat(tag, options)
  formats.set(name, made)
  return made
}

/** A count with marks between its thousands: 1,234,567 or 1.234.567. */
export function countText(count: number): string {
  return formatOf({ maximumFractionDigits: 0 }).format(count)
}

/** 0 B, 812 B, 41.2 KiB, 1.04 MiB. Whole bytes below 1 KiB, three digits above. */
export function bytesText(bytes: number): string {
  if (!Number.isFinite(bytes) || bytes < 0) return '–'
  if (bytes < 1024) return `${Math.round(bytes)} B`
  const units = ['KiB', 'MiB', 'GiB']
  let value = bytes / 1024
  let at = 0
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1024
    at++
  }
  return `${decimalText(value, value >= 100 ? 0 : value >= 10 ? 1 : 2)} ${units[at]}`
}

/** Two sizes in the unit of the second: "20.0 / 64.0 KiB". */
export function ofBytesText(done: number, total: number): string {
  if (total < 1024) return `${Math.round(done)} / ${Math.round(total)} B`
  const [unitBytes, unit] = total < 1000 * 1024 ? [1024, 'KiB'] : [1024 * 1024, 'MiB']
  const after = total / unitBytes >= 100 ? 0 : total / unitBytes >= 10 ? 1 : 2
  return `${decimalText(done / unitBytes, after)} / ${decimalText(total / unitBytes, after)} ${unit}`
}

/** How long a quick thing took: 8 ms, then as `secondsText`. */
export function tookText(seconds: number): string {
  return seconds > 0 && seconds < 0.095 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : secondsText(seconds)
}

/** 0.4 s, 12 s, 3:07, 1:02:30. */
export function secondsText(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–'
  if (seconds < 10) return `${decimalText(seconds, 1)} s`
  if (seconds < 59.5) return `${Math.round(seconds)} s`
  const whole = Math.round(seconds)
  const two = (value: number) => String(value).padStart(2, '0')
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`
}

/** Time since a run began, for a column: +0.0 s, +12.4 s, +3:07. */
export function sinceText(seconds: number): string {
  return `+${seconds < 59.95 ? `${decimalText(Math.max(0, seconds), 1)} s` : secondsText(seconds)}`
}

/** A version as people write it: MCUboot's build number only where there is one ("1.1.0" for 1.1.0+0). */
export function versionText(version: string): string {
  return version.replace(/\+0$/, '')
}

/** A share as percent, whole unless told otherwise: 0.875 is "88 %" (in Chinese "88%", as is written there). */
export function percentText(share: number, after = 0): string {
  return Number.isFinite(share) ? `${decimalText(share * 100, after)}${spoken.value === 'zh' ? '' : ' '}%` : '–'
}

/** Share done, 0 to 1; 0 when nothing is to be done. */
export function shareDone(done: number, total: number): number {
  return total > 0 && done > 0 ? Math.min(1, done / total) : 0
}

/** First and last digits of a hash, enough to compare by eye: "3f9a17c2…b08e41d7". */
export function shortHash(hex: string): string {
  return hex.length <= 20 ? hex : `${hex.slice(0, 8)}…${hex.slice(-8)}`
}

/** Hex in groups of eight digits, for reading aloud. */
export function groupedHash(hex: string): string {
  return hex.replace(/(.{8})(?=.)/g, '$1 ')
}

/** Day and month of an ISO instant, UTC, for the foot of a chart: "03-09", "09.03.". */
export function dayOfMonthText(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  return spoken.value === 'en' ? date.toISOString().slice(5, 10) : date.toLocaleDateString(tagOf(spoken.value), { month: '2-digit', day: '2-digit', timeZone: 'UTC' })
}

/** Clock time of an ISO instant in the local zone, 24 h in every language: "14:03:27". */
export function timeText(iso: string): string {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? iso : date.toLocaleTimeString('en-GB', { hour12: false })
}

/**
 * The day of an instant in the local zone, in digits as the language writes them. English has two ways that contradict
 * each other, so it gets the one that nobody misreads: "2026-03-09".
 */
export function dayText(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  return date.toLocaleDateString(spoken.value === 'en' ? 'sv-SE' : tagOf(spoken.value), { year: 'numeric', month: '2-digit', day: '2-digit' })
}

/** The same of an instant that stands for a whole day in UTC, as certificates and key policies have it. */
export function dayUtcText(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  return date.toLocaleDateString(spoken.value === 'en' ? 'sv-SE' : tagOf(spoken.value), { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: 'UTC' })
}

/** Day and time of an ISO instant in the local zone: "2026-03-09 14:03:27". */
export function dayTimeText(iso: string): string {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? iso : `${dayText(iso)} ${timeText(iso)}`
}

/** The last part of a path: `ttyUSB0` of `/dev/ttyUSB0`. */
export function lastPart(path: string): string {
  return path.split(/[\\/]/).filter((part) => part !== '').at(-1) ?? path
}
