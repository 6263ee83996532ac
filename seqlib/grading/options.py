"""Options that several commands of grading have in common."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Course", "Gradebook", "Key", "Name", "Root", "Store", "Students"]

Name = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Its folder under solutions/, such as a1_recurrent.")]
Course = Annotated[Path, typer.Option(help="The class folder, which holds submitted/STUDENT/ASSIGNMENT.")]
Root = Annotated[Path | None, typer.Option(help="The instructors' repository. Default: the one you are in.")]
Key = Annotated[Path | None, typer.Option(help="The course key. Default: COURSE/course.key, made on first use.")]
Store = Annotated[str | None, typer.Option(help="The store: a file or a database URL. Default: COURSE/store.db.")]
Gradebook = Annotated[str | None, typer.Option(help="nbgrader's database URL. Default: COURSE/gradebook.db.")]

Students = Annotated[list[str] | None, typer.Option("--student", help="Only this student; give it again for more.")]
