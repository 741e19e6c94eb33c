// The 119 sheet: every print is written into the audit, by the button or by the browser's own menu.
const button = document.getElementById("print");
if (button) {
  const { printed, csrf } = button.dataset;
  addEventListener("beforeprint", () => navigator.sendBeacon(printed, new URLSearchParams({ csrf })));
  button.onclick = () => print();
}
