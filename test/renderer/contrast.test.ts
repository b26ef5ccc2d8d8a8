// WCAG 2.2 contrast, computed from the tokens themselves, in all three themes; and the states under the two common kinds of
// colour blindness, where the fills that mean opposite things must still lie apart.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

type Rgb = readonly [number, number, number]
const css = readFileSync(resolve(import.meta.dirname, '..', '..', 'renderer', 'looks', 'tokens.css'), 'utf8')
const tokens = new Map([...css.matchAll(/--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map((match) => [match[1] ?? '', { light: match[2] ?? '', dark: match[3] ?? '' }]))

const sharp = new Map([...(css.split(":root[data-theme='contrast'] {")[1] ?? '').split('}')[0]!.matchAll(/--([a-z0-9-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1] ?? '', match[2] ?? '']))

function rgb(name: string, theme: 'light' | 'dark' | 'contrast'): Rgb {
  const hex = theme === 'contrast' ? sharp.get(name) : tokens.get(name)?.[theme]
  if (hex === undefined) throw new Error(`no token --${name}`)
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as unknown as Rgb
}

const linear = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
const luminance = ([r, g, b]: Rgb) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)

function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

const surfaces = ['ground', 'plate', 'raised']
const fills = ['ready', 'working', 'confirmed', 'tested', 'uploaded', 'unchanged', 'reverted', 'failed', 'stopped', 'misplaced', 'asks']

test('high contrast has a colour of its own for every token', () => {
  expect([...sharp.keys()].sort()).toEqual([...tokens.keys()].sort())
})

describe.each(['light', 'dark', 'contrast'] as const)('%s', (theme) => {
  // WCAG's AAA for the theme whose whole point it is.
  const least = theme === 'contrast' ? 7 : 4.5

  test.each(surfaces.flatMap((ground) => ['ink', 'ink-2', 'ink-3', 'hand', 'failed-ink', 'reverted-ink', 'confirmed-ink'].map((ink) => [ink, ground])))('--%s is too faint on --%s (4.5, high contrast 7)', (ink, ground) => {
    expect(contrast(rgb(ink, theme), rgb(ground, theme))).toBeGreaterThanOrEqual(least)
  })

  test.each(fills)('the words on --%s are too faint (4.5, high contrast 7)', (fill) => {
    expect(contrast(rgb(`on-${fill}`, theme), rgb(fill, theme))).toBeGreaterThanOrEqual(least)
  })

  test.each([['on-hand', 'hand'], ['on-hand', 'hand-over'], ['rail-ink', 'rail'], ['rail-on', 'rail-plate'], ['ink', 'hand-tint'], ['ink-2', 'hand-tint'], ['ink', 'confirmed-tint'], ['ink', 'reverted-tint'], ['ink', 'failed-tint'], ['failed-ink', 'failed-tint'], ['reverted-ink', 'hand-tint'], ['ink', 'well']])('--%s is too faint on --%s (4.5, high contrast 7)', (ink, ground) => {
    expect(contrast(rgb(ink, theme), rgb(ground, theme))).toBeGreaterThanOrEqual(least)
  })

  test.each(['ground', 'plate', 'raised', 'confirmed', 'failed', 'working'])('the focus ring is lost on --%s (3)', (ground) => {
    // On a filled plate the ring stands outside, on the ground; on the ground itself it must be seen.
    if (surfaces.includes(ground)) expect(contrast(rgb('focus', theme), rgb(ground, theme))).toBeGreaterThanOrEqual(3)
    else expect(contrast(rgb('focus', theme), rgb('ground', theme))).toBeGreaterThanOrEqual(3)
  })

  test.each(['rule-strong'])('the edge of a control, --%s, is too faint (3)', (edge) => {
    for (const ground of surfaces) expect(contrast(rgb(edge, theme), rgb(ground, theme)), ground).toBeGreaterThanOrEqual(3)
  })

  test.each([['confirmed', 'failed'], ['confirmed', 'reverted'], ['failed', 'working'], ['reverted', 'failed'], ['confirmed', 'working']])('--%s and --%s look alike without red or without green', (one, other) => {
    for (const blind of [deuteranope, protanope]) expect(distance(blind(rgb(one, theme)), blind(rgb(other, theme)))).toBeGreaterThan(20)
  })
})

// Viénot, Brettel and Mollon 1999: colour as seen without one kind of cone, in linear RGB.
const deuteranope = (color: Rgb) => mix(color, [[0.29275, 0.70725, -0.02234], [0.29275, 0.70725, 0.02234], [-0.02234, 0.02234, 1]])
const protanope = (color: Rgb) => mix(color, [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])

function mix(color: Rgb, rows: readonly (readonly [number, number, number])[]): Rgb {
  const [r, g, b] = color.map(linear) as unknown as Rgb
  return rows.map((row) => Math.min(1, Math.max(0, row[0] * r + row[1] * g + row[2] * b))) as unknown as Rgb
}

/** CIE76 distance of two linear RGB colours; 2 is just seen. */
function distance(a: Rgb, b: Rgb): number {
  const [one, other] = [lab(a), lab(b)]
  return Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2])
}

function lab([r, g, b]: Rgb): Rgb {
  const f = (value: number) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116)
  const [x, y, z] = [f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505), f(0.2126 * r + 0.7152 * g + 0.0722 * b), f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)]
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}
