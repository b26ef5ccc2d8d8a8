// The roles of the people at a station, and which of them a call of the contract is for. A person may
// have several; roles add up and none contains another, so an administrator who is also to sign is made an engineer too.

export type PersonRole = 'operator' | 'engineer' | 'auditor' | 'administrator'

export const personRoles: readonly PersonRole[] = ['operator', 'engineer', 'auditor', 'administrator']

/** Who may make a call: these roles, or anyone at all, signed in or not. */
export type May = readonly PersonRole[] | 'anyone'

/** Also while nobody is signed in: nothing of the house may be learnt or changed by such a call. */
export const anyone: May = 'anyone'
/** Whoever is signed in. */
export const everyone: May = personRoles
/** Who works on boards. */
export const line: May = ['operator', 'engineer']
export const engineers: May = ['engineer']
/** Who reads the log and takes it out of the house. */
export const auditors: May = ['auditor', 'engineer', 'administrator']
export const administrators: May = ['administrator']
/** Who looks after the station's keys and settings. */
export const keepers: May = ['engineer', 'administrator']

/** Whether somebody with these roles may make such a call; null: nobody is signed in. */
export function mayCall(may: May, roles: readonly PersonRole[] | null): boolean {
  return may === 'anyone' || (roles !== null && roles.some((role) => may.includes(role)))
}
