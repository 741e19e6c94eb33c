// An installer's page: what waits for the hub is fetched anew every two seconds; digits are grouped.
const EVERY_MS = 2000;
const digits = document.getElementById("digits");

digits?.addEventListener("input", () => {
  const plain = digits.value.replace(/\D/g, "").slice(0, 8);
  if (digits.selectionStart === digits.value.length) digits.value = plain.replace(/^(\d{4})(?=\d)/, "$1 ");
});

async function refresh() {
  const answer = await fetch(document.body.dataset.url, { signal: AbortSignal.timeout(5000) }).catch(() => null);
  if (answer?.redirected) return void location.reload(); // signed out
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
  const old = document.getElementById("live");
  if (fresh && fresh.textContent !== old.textContent) old.replaceWith(fresh);
}

if (document.getElementById("live")) setInterval(() => document.hidden || refresh(), EVERY_MS);
