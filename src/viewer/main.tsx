import { render } from "preact";
import { App } from "./app/app.tsx";
import { openFromAddress } from "./app/load.ts";
import "./style/base.css";
import "./style/timeline.css";
import "./style/panels.css";

render(<App />, document.getElementById("app")!);
openFromAddress();
