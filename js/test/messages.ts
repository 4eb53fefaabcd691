// Printed from Python by `make print` (js/print_messages.py); never edited.
import type { FromKernel, SavedPanel } from "../src/contract.ts";

/** What the kernel sent, in order, each with the float64 values of its buffer. */
export const messages = [
 {
  "message": {
   "kind": "points",
   "seq": 0,
   "full": true,
   "parts": [
    {
     "run": "01RUN1",
     "metric": "train/loss",
     "start": 0,
     "n": 5
    },
    {
     "run": "01RUN1",
     "metric": "val/acc",
     "start": 0,
     "n": 5
    },
    {
     "run": "01RUN0",
     "metric": "train/loss",
     "start": 0,
     "n": 5
    },
    {
     "run": "01RUN0",
     "metric": "val/acc",
     "start": 0,
     "n": 5
    }
   ],
   "runs": [
    {
     "run": "01RUN1",
     "name": "narrow",
     "status": "running",
     "step": 4,
     "seconds": 1.5,
     "started": 1700000000.0,
     "axes": [],
     "points": 10,
     "last": {
      "train/loss": 0.564718,
      "val/acc": 0.35882
     },
     "goals": {
      "train/loss": "min",
      "val/acc": "max"
     },
     "earlier": 0,
     "beaten": {},
     "left": null,
     "error": null,
     "asked_to": "",
     "paused": false,
     "knobs": []
    },
    {
     "run": "01RUN0",
     "name": "wide",
     "status": "running",
     "step": 4,
     "seconds": 1.5,
     "started": 1700000000.0,
     "axes": [],
     "points": 10,
     "last": {
      "train/loss": 0.564718,
      "val/acc": 0.35882
     },
     "goals": {
      "train/loss": "min",
      "val/acc": "max"
     },
     "earlier": 0,
     "beaten": {},
     "left": null,
     "error": null,
     "asked_to": "",
     "paused": false,
     "knobs": []
    }
   ]
  },
  "data": [
   0.0,
   1.0,
   2.0,
   3.0,
   4.0,
   0.0,
   0.1,
   0.2,
   0.3,
   0.4,
   1.0,
   0.866878,
   0.751477,
   0.651439,
   0.564718,
   0.0,
   1.0,
   2.0,
   3.0,
   4.0,
   0.0,
   0.1,
   0.2,
   0.3,
   0.4,
   0.0,
   0.105161,
   0.199263,
   NaN,
   0.35882,
   0.0,
   1.0,
   2.0,
   3.0,
   4.0,
   0.0,
   0.1,
   0.2,
   0.3,
   0.4,
   1.0,
   0.866878,
   0.751477,
   0.651439,
   0.564718,
   0.0,
   1.0,
   2.0,
   3.0,
   4.0,
   0.0,
   0.1,
   0.2,
   0.3,
   0.4,
   0.0,
   0.105161,
   0.199263,
   NaN,
   0.35882
  ]
 },
 {
  "message": {
   "kind": "points",
   "seq": 1,
   "full": false,
   "parts": [
    {
     "run": "01RUN1",
     "metric": "train/loss",
     "start": 5,
     "n": 4
    },
    {
     "run": "01RUN1",
     "metric": "val/acc",
     "start": 5,
     "n": 4
    },
    {
     "run": "01RUN0",
     "metric": "train/loss",
     "start": 5,
     "n": 4
    },
    {
     "run": "01RUN0",
     "metric": "val/acc",
     "start": 5,
     "n": 4
    }
   ],
   "runs": [
    {
     "run": "01RUN1",
     "name": "narrow",
     "status": "running",
     "step": 8,
     "seconds": 1.5,
     "started": 1700000000.0,
     "axes": [],
     "points": 18,
     "last": {
      "train/loss": 0.318907,
      "val/acc": 0.588888
     },
     "goals": {
      "train/loss": "min",
      "val/acc": "max"
     },
     "earlier": 0,
     "beaten": {},
     "left": null,
     "error": null,
     "asked_to": "",
     "paused": false,
     "knobs": []
    },
    {
     "run": "01RUN0",
     "name": "wide",
     "status": "running",
     "step": 8,
     "seconds": 1.5,
     "started": 1700000000.0,
     "axes": [],
     "points": 18,
     "last": {
      "train/loss": 0.318907,
      "val/acc": 0.588888
     },
     "goals": {
      "train/loss": "min",
      "val/acc": "max"
     },
     "earlier": 0,
     "beaten": {},
     "left": null,
     "error": null,
     "asked_to": "",
     "paused": false,
     "knobs": []
    }
   ]
  },
  "data": [
   5.0,
   6.0,
   7.0,
   8.0,
   0.5,
   0.6,
   0.7,
   0.8,
   0.489542,
   0.424373,
   0.367879,
   0.318907,
   5.0,
   6.0,
   7.0,
   8.0,
   0.5,
   0.6,
   0.7,
   0.8,
   0.426247,
   0.486583,
   0.540574,
   0.588888,
   5.0,
   6.0,
   7.0,
   8.0,
   0.5,
   0.6,
   0.7,
   0.8,
   0.489542,
   0.424373,
   0.367879,
   0.318907,
   5.0,
   6.0,
   7.0,
   8.0,
   0.5,
   0.6,
   0.7,
   0.8,
   0.426247,
   0.486583,
   0.540574,
   0.588888
  ]
 },
 {
  "message": {
   "kind": "points",
   "seq": 2,
   "full": false,
   "parts": [
    {
     "run": "01RUN1",
     "metric": "train/loss",
     "start": 9,
     "n": 3
    },
    {
     "run": "01RUN1",
     "metric": "val/acc",
     "start": 9,
     "n": 3
    },
    {
     "run": "01RUN0",
     "metric": "train/loss",
     "start": 9,
     "n": 3
    },
    {
     "run": "01RUN0",
     "metric": "val/acc",
     "start": 9,
     "n": 3
    }
   ],
   "runs": [
    {
     "run": "01RUN1",
     "name": "narrow",
     "status": "running",
     "step": 11,
     "seconds": 1.5,
     "started": 1700000000.0,
     "axes": [],
     "points": 24,
     "last": {
      "train/loss": 0.207748,
      "val/acc": 0.705425
     },
     "goals": {
      "train/loss": "min",
      "val/acc": "max"
     },
     "earlier": 0,
     "beaten": {},
     "left": null,
     "error": null,
     "asked_to": "",
     "paused": false,
     "knobs": []
    },
    {
     "run": "01RUN0",
     "name": "wide",
     "status": "running",
     "step": 11,
     "seconds": 1.5,
     "started": 1700000000.0,
     "axes": [],
     "points": 24,
     "last": {
      "train/loss": 0.207748,
      "val/acc": 0.705425
     },
     "goals": {
      "train/loss": "min",
      "val/acc": "max"
     },
     "earlier": 0,
     "beaten": {},
     "left": null,
     "error": null,
     "asked_to": "",
     "paused": false,
     "knobs": []
    }
   ]
  },
  "data": [
   9.0,
   10.0,
   11.0,
   0.9,
   1.0,
   1.1,
   0.276453,
   0.239651,
   0.207748,
   9.0,
   10.0,
   11.0,
   0.9,
   1.0,
   1.1,
   0.632121,
   0.670807,
   0.705425,
   9.0,
   10.0,
   11.0,
   0.9,
   1.0,
   1.1,
   0.276453,
   0.239651,
   0.207748,
   9.0,
   10.0,
   11.0,
   0.9,
   1.0,
   1.1,
   0.632121,
   0.670807,
   0.705425
  ]
 },
 {
  "message": {
   "kind": "points",
   "seq": 3,
   "full": true,
   "parts": [
    {
     "run": "01RUN1",
     "metric": "train/loss",
     "start": 0,
     "n": 12
    },
    {
     "run": "01RUN1",
     "metric": "val/acc",
     "start": 0,
     "n": 12
    },
    {
     "run": "01RUN0",
     "metric": "train/loss",
     "start": 0,
     "n": 12
    },
    {
     "run": "01RUN0",
     "metric": "val/acc",
     "start": 0,
     "n": 12
    }
   ],
   "runs": [
    {
     "run": "01RUN1",
     "name": "narrow",
     "status": "finished",
     "step": 11,
     "seconds": 1.5,
     "started": 1700000000.0,
     "axes": [],
     "points": 24,
     "last": {
      "train/loss": 0.207748,
      "val/acc": 0.705425
     },
     "goals": {
      "train/loss": "min",
      "val/acc": "max"
     },
     "earlier": 0,
     "beaten": {},
     "left": null,
     "error": null,
     "asked_to": "",
     "paused": false,
     "knobs": []
    },
    {
     "run": "01RUN0",
     "name": "wide",
     "status": "failed",
     "step": 11,
     "seconds": 1.5,
     "started": 1700000000.0,
     "axes": [],
     "points": 24,
     "last": {
      "train/loss": 0.207748,
      "val/acc": 0.705425
     },
     "goals": {
      "train/loss": "min",
      "val/acc": "max"
     },
     "earlier": 0,
     "beaten": {},
     "left": null,
     "error": "ValueError: the loss is <b>gone</b>",
     "asked_to": "",
     "paused": false,
     "knobs": []
    }
   ]
  },
  "data": [
   0.0,
   1.0,
   2.0,
   3.0,
   4.0,
   5.0,
   6.0,
   7.0,
   8.0,
   9.0,
   10.0,
   11.0,
   0.0,
   0.1,
   0.2,
   0.3,
   0.4,
   0.5,
   0.6,
   0.7,
   0.8,
   0.9,
   1.0,
   1.1,
   1.0,
   0.866878,
   0.751477,
   0.651439,
   0.564718,
   0.489542,
   0.424373,
   0.367879,
   0.318907,
   0.276453,
   0.239651,
   0.207748,
   0.0,
   1.0,
   2.0,
   3.0,
   4.0,
   5.0,
   6.0,
   7.0,
   8.0,
   9.0,
   10.0,
   11.0,
   0.0,
   0.1,
   0.2,
   0.3,
   0.4,
   0.5,
   0.6,
   0.7,
   0.8,
   0.9,
   1.0,
   1.1,
   0.0,
   0.105161,
   0.199263,
   NaN,
   0.35882,
   0.426247,
   0.486583,
   0.540574,
   0.588888,
   0.632121,
   0.670807,
   0.705425,
   0.0,
   1.0,
   2.0,
   3.0,
   4.0,
   5.0,
   6.0,
   7.0,
   8.0,
   9.0,
   10.0,
   11.0,
   0.0,
   0.1,
   0.2,
   0.3,
   0.4,
   0.5,
   0.6,
   0.7,
   0.8,
   0.9,
   1.0,
   1.1,
   1.0,
   0.866878,
   0.751477,
   0.651439,
   0.564718,
   0.489542,
   0.424373,
   0.367879,
   0.318907,
   0.276453,
   0.239651,
   0.207748,
   0.0,
   1.0,
   2.0,
   3.0,
   4.0,
   5.0,
   6.0,
   7.0,
   8.0,
   9.0,
   10.0,
   11.0,
   0.0,
   0.1,
   0.2,
   0.3,
   0.4,
   0.5,
   0.6,
   0.7,
   0.8,
   0.9,
   1.0,
   1.1,
   0.0,
   0.105161,
   0.199263,
   NaN,
   0.35882,
   0.426247,
   0.486583,
   0.540574,
   0.588888,
   0.632121,
   0.670807,
   0.705425
  ]
 },
 {
  "message": {
   "kind": "answer",
   "reply_to": "q1",
   "content": null,
   "rows": {
    "rows": [
     {
      "id": "01RUN1",
      "name": "narrow",
      "status": "finished",
      "project": "default",
      "created": 1700000000.0,
      "duration": 1.5,
      "cell": null,
      "execution_count": null,
      "notebook": null,
      "tags": [
       "sweep"
      ],
      "note": "",
      "error": null,
      "params": {
       "lr": {
        "value": 0.1,
        "rule": "api",
        "line": null
       },
       "layers": {
        "value": "[64, 10]",
        "rule": "api",
        "line": null
       }
      },
      "metrics": {
       "train/loss": {
        "goal": "min",
        "last": 0.207748,
        "best": 0.207748,
        "best_step": 11.0,
        "min": 0.207748,
        "max": 1.0,
        "count": 12,
        "nan_count": 0,
        "spark": [
         1.0,
         null,
         0.5
        ]
       },
       "val/acc": {
        "goal": "max",
        "last": 0.705425,
        "best": 0.705425,
        "best_step": 11.0,
        "min": 0.0,
        "max": 0.705425,
        "count": 12,
        "nan_count": 1,
        "spark": [
         1.0,
         null,
         0.5
        ]
       }
      },
      "totals": {},
      "parent": null,
      "came_of": null,
      "resumed": 0,
      "group": null,
      "complete": null,
      "starred": false,
      "archived": false,
      "deleted": false
     }
    ],
    "total": 1,
    "hints": []
   },
   "comparison": null,
   "parts": null,
   "marks": null,
   "comments": null,
   "said": null,
   "text": null,
   "proposals": null,
   "views": null,
   "drawn": null,
   "listing": null,
   "sums": null,
   "stale": null,
   "executions": null
  },
  "data": []
 },
 {
  "message": {
   "kind": "fault",
   "reply_to": "q2",
   "text": "the expression ends too early\nparams.lr >\n           ^"
  },
  "data": []
 },
 {
  "message": {
   "kind": "answer",
   "reply_to": "c1",
   "content": null,
   "rows": null,
   "comparison": {
    "runs": [
     {
      "id": "01RUN0",
      "name": "wide",
      "status": "failed",
      "project": "default",
      "created": 1700000000.0,
      "duration": 1.5,
      "cell": null,
      "execution_count": null,
      "notebook": null,
      "tags": [],
      "note": "",
      "error": "ValueError: the loss is <b>gone</b>",
      "params": {
       "lr": {
        "value": 0.01,
        "rule": "api",
        "line": null
       },
       "layers": {
        "value": "[128, 10]",
        "rule": "api",
        "line": null
       }
      },
      "metrics": {
       "train/loss": {
        "goal": "min",
        "last": 0.207748,
        "best": 0.207748,
        "best_step": 11.0,
        "min": 0.207748,
        "max": 1.0,
        "count": 12,
        "nan_count": 0,
        "spark": [
         1.0,
         null,
         0.5
        ]
       },
       "val/acc": {
        "goal": "max",
        "last": 0.705425,
        "best": 0.705425,
        "best_step": 11.0,
        "min": 0.0,
        "max": 0.705425,
        "count": 12,
        "nan_count": 1,
        "spark": [
         1.0,
         null,
         0.5
        ]
       }
      },
      "totals": {},
      "parent": null,
      "came_of": null,
      "resumed": 0,
      "group": null,
      "complete": null,
      "starred": false,
      "archived": false,
      "deleted": false
     },
     {
      "id": "01RUN1",
      "name": "narrow",
      "status": "finished",
      "project": "default",
      "created": 1700000000.0,
      "duration": 1.5,
      "cell": null,
      "execution_count": null,
      "notebook": null,
      "tags": [
       "sweep"
      ],
      "note": "",
      "error": null,
      "params": {
       "lr": {
        "value": 0.1,
        "rule": "api",
        "line": null
       },
       "layers": {
        "value": "[64, 10]",
        "rule": "api",
        "line": null
       }
      },
      "metrics": {
       "train/loss": {
        "goal": "min",
        "last": 0.207748,
        "best": 0.207748,
        "best_step": 11.0,
        "min": 0.207748,
        "max": 1.0,
        "count": 12,
        "nan_count": 0,
        "spark": [
         1.0,
         null,
         0.5
        ]
       },
       "val/acc": {
        "goal": "max",
        "last": 0.705425,
        "best": 0.705425,
        "best_step": 11.0,
        "min": 0.0,
        "max": 0.705425,
        "count": 12,
        "nan_count": 1,
        "spark": [
         1.0,
         null,
         0.5
        ]
       }
      },
      "totals": {},
      "parent": null,
      "came_of": null,
      "resumed": 0,
      "group": null,
      "complete": null,
      "starred": false,
      "archived": false,
      "deleted": false
     }
    ],
    "facts": [
     {
      "name": "status",
      "words": "",
      "values": [
       "failed",
       "finished"
      ],
      "differs": true,
      "goal": "none",
      "verdicts": []
     },
     {
      "name": "error",
      "words": "",
      "values": [
       "ValueError: the loss is <b>gone</b>",
       null
      ],
      "differs": true,
      "goal": "none",
      "verdicts": []
     }
    ],
    "params": [
     {
      "name": "lr",
      "words": "",
      "values": [
       0.01,
       0.1
      ],
      "differs": true,
      "goal": "none",
      "verdicts": []
     },
     {
      "name": "layers",
      "words": "",
      "values": [
       "[128, 10]",
       "[64, 10]"
      ],
      "differs": true,
      "goal": "none",
      "verdicts": []
     }
    ],
    "data": [],
    "metrics": [
     {
      "name": "train/loss",
      "words": "",
      "values": [
       0.207748,
       0.207748
      ],
      "differs": false,
      "goal": "min",
      "verdicts": []
     },
     {
      "name": "best train/loss",
      "words": "",
      "values": [
       0.207748,
       0.207748
      ],
      "differs": false,
      "goal": "min",
      "verdicts": []
     },
     {
      "name": "val/acc",
      "words": "",
      "values": [
       0.705425,
       0.705425
      ],
      "differs": false,
      "goal": "max",
      "verdicts": []
     },
     {
      "name": "best val/acc",
      "words": "",
      "values": [
       0.705425,
       0.705425
      ],
      "differs": false,
      "goal": "max",
      "verdicts": []
     }
    ],
    "environment": [],
    "code": [
     {
      "run": "01RUN1",
      "cell": "",
      "lines": []
     }
    ],
    "outputs": [
     [],
     []
    ],
    "changed": [
     "params: lr 0.01 → 0.1",
     "params: layers 128, 10 → 64, 10"
    ]
   },
   "parts": null,
   "marks": null,
   "comments": null,
   "said": null,
   "text": null,
   "proposals": null,
   "views": null,
   "drawn": null,
   "listing": null,
   "sums": null,
   "stale": null,
   "executions": null
  },
  "data": []
 }
] satisfies { message: FromKernel; data: number[] }[];

/** A saved chart, table, comparison and run. */
export const panels = [
 {
  "v": 1,
  "kind": "chart",
  "trail": "01TRAIL",
  "title": "a sweep",
  "view": null,
  "runs": [
   {
    "run": "01RUN1",
    "name": "narrow",
    "status": "finished",
    "step": 11,
    "seconds": 1.5,
    "started": 1700000000.0,
    "axes": [],
    "points": 24,
    "last": {
     "train/loss": 0.207748,
     "val/acc": 0.705425
    },
    "goals": {
     "train/loss": "min",
     "val/acc": "max"
    },
    "earlier": 0,
    "beaten": {},
    "left": null,
    "error": null,
    "asked_to": "",
    "paused": false,
    "knobs": []
   },
   {
    "run": "01RUN0",
    "name": "wide",
    "status": "failed",
    "step": 11,
    "seconds": 1.5,
    "started": 1700000000.0,
    "axes": [],
    "points": 24,
    "last": {
     "train/loss": 0.207748,
     "val/acc": 0.705425
    },
    "goals": {
     "train/loss": "min",
     "val/acc": "max"
    },
    "earlier": 0,
    "beaten": {},
    "left": null,
    "error": "ValueError: the loss is <b>gone</b>",
    "asked_to": "",
    "paused": false,
    "knobs": []
   }
  ],
  "chart": {
   "x": "step",
   "y": "linear",
   "hidden": [],
   "smooth": "none",
   "weight": 0.9,
   "folded": [
    "sys"
   ],
   "group": "",
   "spread": "interval"
  },
  "table": null,
  "series": [
   {
    "run": "01RUN1",
    "metric": "train/loss",
    "n": 12,
    "step": "AAAAAAAAAAAAAAAAAADwPwAAAAAAAABAAAAAAAAACEAAAAAAAAAQQAAAAAAAABRAAAAAAAAAGEAAAAAAAAAcQAAAAAAAACBAAAAAAAAAIkAAAAAAAAAkQAAAAAAAACZA",
    "seconds": "AAAAAM3MzD3NzEw+mpmZPs3MzD4AAAA/mpkZPzMzMz/NzEw/ZmZmPwAAgD/NzIw/",
    "value": "AACAP7brXT/RYEA/tsQmP16RED80pfo+ZkfZPrJavD64R6M+QYuNPhVndT7xu1Q+"
   },
   {
    "run": "01RUN1",
    "metric": "val/acc",
    "n": 12,
    "step": "AAAAAAAAAAAAAAAAAADwPwAAAAAAAABAAAAAAAAACEAAAAAAAAAQQAAAAAAAABRAAAAAAAAAGEAAAAAAAAAcQAAAAAAAACBAAAAAAAAAIkAAAAAAAAAkQAAAAAAAACZA",
    "seconds": "AAAAAM3MzD3NzEw+mpmZPs3MzD4AAAA/mpkZPzMzMz/NzEw/ZmZmPwAAgD/NzIw/",
    "value": "AAAAAHxe1z1/C0w+AADAfzS3tz7+PNo+ZCH5PhJjCj9YwRY/p9IhPwK6Kz++ljQ/"
   },
   {
    "run": "01RUN0",
    "metric": "train/loss",
    "n": 12,
    "step": "AAAAAAAAAAAAAAAAAADwPwAAAAAAAABAAAAAAAAACEAAAAAAAAAQQAAAAAAAABRAAAAAAAAAGEAAAAAAAAAcQAAAAAAAACBAAAAAAAAAIkAAAAAAAAAkQAAAAAAAACZA",
    "seconds": "AAAAAM3MzD3NzEw+mpmZPs3MzD4AAAA/mpkZPzMzMz/NzEw/ZmZmPwAAgD/NzIw/",
    "value": "AACAP7brXT/RYEA/tsQmP16RED80pfo+ZkfZPrJavD64R6M+QYuNPhVndT7xu1Q+"
   },
   {
    "run": "01RUN0",
    "metric": "val/acc",
    "n": 12,
    "step": "AAAAAAAAAAAAAAAAAADwPwAAAAAAAABAAAAAAAAACEAAAAAAAAAQQAAAAAAAABRAAAAAAAAAGEAAAAAAAAAcQAAAAAAAACBAAAAAAAAAIkAAAAAAAAAkQAAAAAAAACZA",
    "seconds": "AAAAAM3MzD3NzEw+mpmZPs3MzD4AAAA/mpkZPzMzMz/NzEw/ZmZmPwAAgD/NzIw/",
    "value": "AAAAAHxe1z1/C0w+AADAfzS3tz7+PNo+ZCH5PhJjCj9YwRY/p9IhPwK6Kz++ljQ/"
   }
  ],
  "marks": [],
  "flags": [],
  "bands": [],
  "groupings": [],
  "omitted": 0,
  "rows": [],
  "hints": [],
  "comparison": null,
  "detail": null,
  "media": null,
  "evaluations": []
 },
 {
  "v": 1,
  "kind": "table",
  "trail": "01TRAIL",
  "title": "all runs",
  "view": null,
  "runs": [],
  "chart": null,
  "table": {
   "sort": [],
   "filter": "",
   "selected": [],
   "columns": null,
   "differing": null,
   "pinned": [],
   "widths": {},
   "group": [],
   "folded": [],
   "baseline": null
  },
  "series": [],
  "marks": [],
  "flags": [],
  "bands": [],
  "groupings": [],
  "omitted": 0,
  "rows": [
   {
    "id": "01RUN0",
    "name": "wide",
    "status": "failed",
    "project": "default",
    "created": 1700000000.0,
    "duration": 1.5,
    "cell": null,
    "execution_count": null,
    "notebook": null,
    "tags": [],
    "note": "",
    "error": "ValueError: the loss is <b>gone</b>",
    "params": {
     "lr": {
      "value": 0.01,
      "rule": "api",
      "line": null
     },
     "layers": {
      "value": "[128, 10]",
      "rule": "api",
      "line": null
     }
    },
    "metrics": {
     "train/loss": {
      "goal": "min",
      "last": 0.207748,
      "best": 0.207748,
      "best_step": 11.0,
      "min": 0.207748,
      "max": 1.0,
      "count": 12,
      "nan_count": 0,
      "spark": [
       1.0,
       null,
       0.5
      ]
     },
     "val/acc": {
      "goal": "max",
      "last": 0.705425,
      "best": 0.705425,
      "best_step": 11.0,
      "min": 0.0,
      "max": 0.705425,
      "count": 12,
      "nan_count": 1,
      "spark": [
       1.0,
       null,
       0.5
      ]
     }
    },
    "totals": {},
    "parent": null,
    "came_of": null,
    "resumed": 0,
    "group": null,
    "complete": null,
    "starred": false,
    "archived": false,
    "deleted": false
   },
   {
    "id": "01RUN1",
    "name": "narrow",
    "status": "finished",
    "project": "default",
    "created": 1700000000.0,
    "duration": 1.5,
    "cell": null,
    "execution_count": null,
    "notebook": null,
    "tags": [
     "sweep"
    ],
    "note": "",
    "error": null,
    "params": {
     "lr": {
      "value": 0.1,
      "rule": "api",
      "line": null
     },
     "layers": {
      "value": "[64, 10]",
      "rule": "api",
      "line": null
     }
    },
    "metrics": {
     "train/loss": {
      "goal": "min",
      "last": 0.207748,
      "best": 0.207748,
      "best_step": 11.0,
      "min": 0.207748,
      "max": 1.0,
      "count": 12,
      "nan_count": 0,
      "spark": [
       1.0,
       null,
       0.5
      ]
     },
     "val/acc": {
      "goal": "max",
      "last": 0.705425,
      "best": 0.705425,
      "best_step": 11.0,
      "min": 0.0,
      "max": 0.705425,
      "count": 12,
      "nan_count": 1,
      "spark": [
       1.0,
       null,
       0.5
      ]
     }
    },
    "totals": {},
    "parent": null,
    "came_of": null,
    "resumed": 0,
    "group": null,
    "complete": null,
    "starred": false,
    "archived": false,
    "deleted": false
   }
  ],
  "hints": [],
  "comparison": null,
  "detail": null,
  "media": null,
  "evaluations": []
 },
 {
  "v": 1,
  "kind": "compare",
  "trail": "01TRAIL",
  "title": "wide · narrow",
  "view": null,
  "runs": [],
  "chart": null,
  "table": null,
  "series": [],
  "marks": [],
  "flags": [],
  "bands": [],
  "groupings": [],
  "omitted": 0,
  "rows": [],
  "hints": [],
  "comparison": {
   "runs": [
    {
     "id": "01RUN0",
     "name": "wide",
     "status": "failed",
     "project": "default",
     "created": 1700000000.0,
     "duration": 1.5,
     "cell": null,
     "execution_count": null,
     "notebook": null,
     "tags": [],
     "note": "",
     "error": "ValueError: the loss is <b>gone</b>",
     "params": {
      "lr": {
       "value": 0.01,
       "rule": "api",
       "line": null
      },
      "layers": {
       "value": "[128, 10]",
       "rule": "api",
       "line": null
      }
     },
     "metrics": {
      "train/loss": {
       "goal": "min",
       "last": 0.207748,
       "best": 0.207748,
       "best_step": 11.0,
       "min": 0.207748,
       "max": 1.0,
       "count": 12,
       "nan_count": 0,
       "spark": [
        1.0,
        null,
        0.5
       ]
      },
      "val/acc": {
       "goal": "max",
       "last": 0.705425,
       "best": 0.705425,
       "best_step": 11.0,
       "min": 0.0,
       "max": 0.705425,
       "count": 12,
       "nan_count": 1,
       "spark": [
        1.0,
        null,
        0.5
       ]
      }
     },
     "totals": {},
     "parent": null,
     "came_of": null,
     "resumed": 0,
     "group": null,
     "complete": null,
     "starred": false,
     "archived": false,
     "deleted": false
    },
    {
     "id": "01RUN1",
     "name": "narrow",
     "status": "finished",
     "project": "default",
     "created": 1700000000.0,
     "duration": 1.5,
     "cell": null,
     "execution_count": null,
     "notebook": null,
     "tags": [
      "sweep"
     ],
     "note": "",
     "error": null,
     "params": {
      "lr": {
       "value": 0.1,
       "rule": "api",
       "line": null
      },
      "layers": {
       "value": "[64, 10]",
       "rule": "api",
       "line": null
      }
     },
     "metrics": {
      "train/loss": {
       "goal": "min",
       "last": 0.207748,
       "best": 0.207748,
       "best_step": 11.0,
       "min": 0.207748,
       "max": 1.0,
       "count": 12,
       "nan_count": 0,
       "spark": [
        1.0,
        null,
        0.5
       ]
      },
      "val/acc": {
       "goal": "max",
       "last": 0.705425,
       "best": 0.705425,
       "best_step": 11.0,
       "min": 0.0,
       "max": 0.705425,
       "count": 12,
       "nan_count": 1,
       "spark": [
        1.0,
        null,
        0.5
       ]
      }
     },
     "totals": {},
     "parent": null,
     "came_of": null,
     "resumed": 0,
     "group": null,
     "complete": null,
     "starred": false,
     "archived": false,
     "deleted": false
    }
   ],
   "facts": [
    {
     "name": "status",
     "words": "",
     "values": [
      "failed",
      "finished"
     ],
     "differs": true,
     "goal": "none",
     "verdicts": []
    },
    {
     "name": "error",
     "words": "",
     "values": [
      "ValueError: the loss is <b>gone</b>",
      null
     ],
     "differs": true,
     "goal": "none",
     "verdicts": []
    }
   ],
   "params": [
    {
     "name": "lr",
     "words": "",
     "values": [
      0.01,
      0.1
     ],
     "differs": true,
     "goal": "none",
     "verdicts": []
    },
    {
     "name": "layers",
     "words": "",
     "values": [
      "[128, 10]",
      "[64, 10]"
     ],
     "differs": true,
     "goal": "none",
     "verdicts": []
    }
   ],
   "data": [],
   "metrics": [
    {
     "name": "train/loss",
     "words": "",
     "values": [
      0.207748,
      0.207748
     ],
     "differs": false,
     "goal": "min",
     "verdicts": []
    },
    {
     "name": "best train/loss",
     "words": "",
     "values": [
      0.207748,
      0.207748
     ],
     "differs": false,
     "goal": "min",
     "verdicts": []
    },
    {
     "name": "val/acc",
     "words": "",
     "values": [
      0.705425,
      0.705425
     ],
     "differs": false,
     "goal": "max",
     "verdicts": []
    },
    {
     "name": "best val/acc",
     "words": "",
     "values": [
      0.705425,
      0.705425
     ],
     "differs": false,
     "goal": "max",
     "verdicts": []
    }
   ],
   "environment": [],
   "code": [
    {
     "run": "01RUN1",
     "cell": "",
     "lines": []
    }
   ],
   "outputs": [
    [],
    []
   ],
   "changed": [
    "params: lr 0.01 → 0.1",
    "params: layers 128, 10 → 64, 10"
   ]
  },
  "detail": null,
  "media": null,
  "evaluations": []
 },
 {
  "v": 1,
  "kind": "detail",
  "trail": "01TRAIL",
  "title": "narrow",
  "view": null,
  "runs": [
   {
    "run": "01RUN1",
    "name": "narrow",
    "status": "finished",
    "step": 11,
    "seconds": 1.5,
    "started": 1700000000.0,
    "axes": [],
    "points": 24,
    "last": {
     "train/loss": 0.207748,
     "val/acc": 0.705425
    },
    "earlier": 0,
    "beaten": {},
    "left": null,
    "goals": {
     "train/loss": "min",
     "val/acc": "max"
    },
    "error": null,
    "asked_to": "",
    "paused": false,
    "knobs": []
   }
  ],
  "chart": null,
  "table": null,
  "series": [
   {
    "run": "01RUN1",
    "metric": "train/loss",
    "n": 12,
    "step": "AAAAAAAAAAAAAAAAAADwPwAAAAAAAABAAAAAAAAACEAAAAAAAAAQQAAAAAAAABRAAAAAAAAAGEAAAAAAAAAcQAAAAAAAACBAAAAAAAAAIkAAAAAAAAAkQAAAAAAAACZA",
    "seconds": "AAAAAM3MzD3NzEw+mpmZPs3MzD4AAAA/mpkZPzMzMz/NzEw/ZmZmPwAAgD/NzIw/",
    "value": "AACAP7brXT/RYEA/tsQmP16RED80pfo+ZkfZPrJavD64R6M+QYuNPhVndT7xu1Q+"
   },
   {
    "run": "01RUN1",
    "metric": "val/acc",
    "n": 12,
    "step": "AAAAAAAAAAAAAAAAAADwPwAAAAAAAABAAAAAAAAACEAAAAAAAAAQQAAAAAAAABRAAAAAAAAAGEAAAAAAAAAcQAAAAAAAACBAAAAAAAAAIkAAAAAAAAAkQAAAAAAAACZA",
    "seconds": "AAAAAM3MzD3NzEw+mpmZPs3MzD4AAAA/mpkZPzMzMz/NzEw/ZmZmPwAAgD/NzIw/",
    "value": "AAAAAHxe1z1/C0w+AADAfzS3tz7+PNo+ZCH5PhJjCj9YwRY/p9IhPwK6Kz++ljQ/"
   }
  ],
  "marks": [],
  "flags": [],
  "bands": [],
  "groupings": [],
  "omitted": 0,
  "rows": [],
  "hints": [],
  "comparison": null,
  "detail": {
   "run": {
    "id": "01RUN1",
    "name": "narrow",
    "status": "finished",
    "project": "default",
    "created": 1700000000.0,
    "duration": 1.5,
    "cell": null,
    "execution_count": null,
    "notebook": null,
    "tags": [
     "sweep"
    ],
    "note": "",
    "error": null,
    "params": {},
    "metrics": {},
    "totals": {},
    "parent": null,
    "came_of": null,
    "resumed": 0,
    "group": null,
    "complete": null,
    "starred": false,
    "archived": false,
    "deleted": false
   },
   "sections": [
    {
     "tab": "summary",
     "title": "metrics",
     "heads": [
      "name",
      "last",
      "best",
      "at step",
      "min",
      "max",
      "points",
      "NaN"
     ],
     "rows": [
      [
       "train/loss",
       0.207748,
       0.207748,
       11,
       0.207748,
       1.0,
       12,
       null
      ],
      [
       "val/acc",
       0.705425,
       0.705425,
       11,
       0.0,
       0.705425,
       12,
       1
      ]
     ],
     "more": 0
    },
    {
     "tab": "summary",
     "title": "params",
     "heads": [
      "name",
      "value",
      "known by",
      "line"
     ],
     "rows": [
      [
       "lr",
       0.1,
       "api",
       null
      ],
      [
       "layers",
       "[64, 10]",
       "api",
       null
      ]
     ],
     "more": 0
    }
   ],
   "code": "",
   "outputs": [],
   "comments": [],
   "traceback": "",
   "replay": null,
   "replayable": false
  },
  "media": null,
  "evaluations": []
 }
] satisfies SavedPanel[];
