// What every page of the console runs. Each module has one job and starts itself where it finds work.
import "./time.js";
import "./theme.js";
import "./rail.js";
import "./toasts.js";
import "./dialogs.js";
import "./forms.js";
import "./keys.js";
import "./live.js";
import "./tabs.js";
