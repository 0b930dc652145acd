// Waits until the demo has events of more than one minute; fails when none come.

const DEADLINE_MS = 120_000;
const until = Date.now() + DEADLINE_MS;

async function events() {
  try {
    const answer = await fetch(`${process.env.HENGE_URL}/druid/v2/sql`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query: 'SELECT SUM(events) AS events FROM fleet', resultFormat: 'object' }),
    });
    return answer.ok ? (await answer.json())[0]?.events ?? 0 : 0;
  } catch {
    return 0;
  }
}

while ((await events()) < 10_000) {
  if (Date.now() > until) {
    console.error('the demo shows no events');
    process.exit(1);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
}
