import { DialPlan, deleteDigits, extension, FEATURE_CODES, line, reject, service } from 'pbxkit/dialplan';
import { expect, test } from 'vitest';

test('a plan as a Mermaid flowchart: plans, prefixes with what they change and need, routes', () => {
  const plan = new DialPlan({
    timeZone: 'Europe/Berlin',
    times: { office: { start: '08:00', finish: '18:00' } },
    transforms: { 1: deleteDigits({ length: 1 }) },
    codes: FEATURE_CODES.slice(0, 2),
    caller: [{ prefix: '2', use: 'sales', transform: 1 }],
    called: [
      { prefix: '9', route: line('1234'), transform: 1, level: 'city' },
      { prefix: '7', transform: deleteDigits({ length: 1 }), reanalyse: true },
      { prefix: '#', route: reject(404, 'Say "no"') },
      { plan: 'sales', prefix: '5', route: service('huntGroup', 'sales'), time: 'office' },
      { plan: 'sales', prefix: '50', route: line('1234') },
    ],
  });
  expect(plan.toMermaid()).toBe(`flowchart LR
  n0([call])
  n1{{"plan default"}}
  n2["forwarding busy"]
  n3{{"plan sales"}}
  n4["line 1234"]
  n5["reject 404 Say #quot;no#quot;"]
  n6["huntGroup sales"]
  n7["local user"]
  n8["any line"]
  n0 --> n1
  n0 -->|"*90*number"| n2
  n0 -->|"*90#35;"| n2
  n1 -->|"caller 2…, delete 1 digit at 0"| n3
  n1 -->|"9…, delete 1 digit at 0, level city"| n4
  n1 -->|"7…, delete 1 digit at 0"| n1
  n1 -->|"#35;…"| n5
  n3 -->|"5…, time office"| n6
  n3 -->|"50…"| n4
  n1 -->|"else"| n7
  n3 -->|"9…, by default without it"| n8
  n3 -->|"else"| n7`);
});

test('what is never by default is not drawn, and an empty out-prefix is', () => {
  expect(new DialPlan({ called: [{ prefix: '*', route: extension() }] }).toMermaid()).not.toMatch(
    /else|default without/,
  );
  expect(new DialPlan({ outPrefix: '' }).toMermaid()).toContain('n1 -->|"else"| n2');
  expect(new DialPlan({ outPrefix: '' }).toMermaid()).toContain('n2["local user, or any line"]');
});
