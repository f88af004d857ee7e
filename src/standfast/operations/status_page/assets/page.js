// How old the page is, by the server's clock; a warning when it is stale; anew when something happened.
(() => {
  const root = document.documentElement;
  const age = document.getElementById("age");
  const limit = Number(root.dataset.staleAfter);
  let updated = null; // server time of the last sign of life, and ours when we heard it
  let heard = 0;
  let seconds = 0;

  const words = (s) => (s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min` : `${Math.floor(s / 3600)} h`);

  function show() {
    const now = updated === null ? null : Math.max(0, Math.round(seconds + (performance.now() - heard) / 1000));
    if (now === null) return;
    root.dataset.age = now > limit ? "stale" : "fresh";
    if (age) age.textContent = `, ${words(now)} ago`;
  }

  async function ask() {
    try {
      const answer = await fetch(`${root.dataset.root}heartbeat.json`, { cache: "no-store" });
      if (!answer.ok) return;
      const beat = await answer.json();
      const date = Date.parse(answer.headers.get("date")) || Date.now();
      updated = Date.parse(beat.updated_at);
      seconds = (date - updated) / 1000;
      heard = performance.now();
      const time = document.querySelector("#as-of time");
      if (beat.release !== root.dataset.release && (age || document.body.className === "embed")) location.reload();
      else if (time) {
        time.textContent = beat.as_of;
        time.dateTime = beat.updated_at;
        time.removeAttribute("title");
      }
    } catch {
      // Nothing answers: the age that is shown goes on growing, and says it.
    }
  }

  ask().then(show);
  setInterval(show, 1000);
  setInterval(() => { if (!document.hidden) ask(); }, 10000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask().then(show); });
})();
