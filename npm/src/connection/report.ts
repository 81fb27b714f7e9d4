import type { Report } from '../types.js'

/** The public report of what the engine has found. */
export function reportOf(report: Omit<Report, 'ok'>): Report {
  return { ok: report.problems.length === 0, ...report }
}
