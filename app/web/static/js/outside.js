// For pages outside of the console: times, and forms that are sent once.
import "./time.js";
import "./forms.js";

for (const field of document.querySelectorAll("input[data-own-zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || field.value;
}
