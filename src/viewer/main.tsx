import { render } from "preact";
import { App } from "./app/app.tsx";
import { followAddress } from "./app/history.ts";
import { openFromAddress } from "./app/load.ts";
import "./style/base.css";
import "./style/timeline.css";
import "./style/overview.css";
import "./style/panels.css";

render(<App />, document.getElementById("app")!);
followAddress();
openFromAddress();
