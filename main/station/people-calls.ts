// The calls about people, for administrators. Each change is told to every client, since it may be about its own session.
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { People } from './people.ts'
import type { Handlers } from './world.ts'

type PeopleCalls = Pick<Handlers, 'listPeople' | 'addPerson' | 'changePerson' | 'retirePerson' | 'unlockPerson' | 'setPin' | 'setBadge'>

export function peopleHandlers(people: People, changed: () => void): PeopleCalls {
  const told = async <T>(work: T | Failure | Promise<T | Failure>): Promise<T | Failure> => {
    const answer = await work
    if (!failed(answer)) changed()
    return answer
  }
  return {
    listPeople: () => people.list(),
    addPerson: (args) => told(people.add(args)),
    changePerson: (args) => told(people.change(args)),
    retirePerson: ({ account }) => told(people.retire(account)),
    unlockPerson: ({ account }) => told(people.unlock(account)),
    setPin: ({ account, pin }) => told(people.setPin(account, pin)),
    setBadge: ({ account, badge }) => told(people.setBadge(account, badge)),
  }
}
