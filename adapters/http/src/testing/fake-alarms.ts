import { type AlarmService, refuse } from '@moorage/core';

/** No alarms at all; tests of alarms run on the service itself. */
export function fakeAlarms(): AlarmService {
  const none = async () => refuse('notFound');
  return {
    save: none,
    get: none,
    remove: none,
    acknowledge: none,
    clear: none,
    assign: none,
    unassign: none,
    list: none,
    ofOriginator: none,
    highestSeverity: none,
    types: none,
  };
}
