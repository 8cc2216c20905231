"""A kind of suite that Assay does not have: a submission passes a case if it contains the word of that line."""

from collections.abc import Iterator
from dataclasses import dataclass

from graders.interface import CaseOutcome, Context, Execution, Limits, Outcome, Suite
from graders.suites.fields import PackageBudget, PackageError
from graders.suites.kind import NamedGroups, SuiteKind
from graders.suites.options import options_of
from graders.suites.reporting import CaseTexts, SuiteReporter


@dataclass(frozen=True, slots=True, kw_only=True)
class WordSuite:
    words: tuple[str, ...]
    any_case: bool

    @classmethod
    def of(cls, suite: Suite) -> "WordSuite":
        with options_of(suite) as table:
            any_case = table.flag("any_case")
        return cls(words=tuple("\n".join(suite.files.values()).split()), any_case=any_case)


class WordKind(SuiteKind):
    name = "words"

    def check(self, suite: Suite, budget: PackageBudget) -> NamedGroups:
        words = WordSuite.of(suite).words
        if not words:
            raise PackageError(f"suite.{suite.id}.files", "at least one word")
        return [(word, "") for word in words]

    def case_count(self, suite: Suite) -> int:
        return len(WordSuite.of(suite).words)

    def outcomes(
        self, context: Context, suite: Suite, limits: Limits, reporter: SuiteReporter
    ) -> Iterator[CaseOutcome]:
        read = WordSuite.of(suite)
        text = "\n".join(context.submission.files.values())
        for word in read.words:
            found = word.lower() in text.lower() if read.any_case else word in text
            texts = None if found else CaseTexts(given=word, wanted="the word is there", got="it is not")
            yield reporter.report_case(word, Outcome.PASSED if found else Outcome.FAILED, texts=texts)

    def run_reference(self, context: Context, suite: Suite) -> Iterator[Execution]:
        yield from ()  # nothing runs

    def advice(self, context: Context, suite: Suite) -> Iterator[str]:
        if "word" in WordSuite.of(suite).words:
            yield "`word` is a poor word"
