"""What can go wrong on the way out. These are no domain errors: the caller knows what a failure means."""

#: Rule → the sentence that follows the host; docs name the rules by these words.
RULES: dict[str, str] = {
    "url": "the address cannot be read as a plain http or https URL",
    "scheme": "only http and https addresses are called",
    "userinfo": "an address with a user name or password in it is not called",
    "address": "it leads to an address that is not on the public Internet; an operator can allow it by setting",
    "body": "the answer is larger than this call accepts",
    "coding": "the answer has a content coding that was not asked for",
    "redirect_host": "it redirects to another host",
    "redirect_downgrade": "it redirects from https to http",
    "redirect_target": "it redirects to something that is no http or https address",
    "host": "it is not one of the hosts that may be called",
    "redirect_loop": "it redirects too many times",
}


#: Rules about what came back; the others refuse before anything was sent.
_OF_THE_ANSWER = frozenset(
    {"body", "coding", "redirect_host", "redirect_downgrade", "redirect_target", "redirect_loop"}
)


class EgressError(Exception):
    """Either way in which a call out ends without an answer; the message is a sentence for a person."""


class EgressRefused(EgressError):
    """This side would not make the call, or would not take the answer. `rule` is a key of RULES."""

    def __init__(self, rule: str, host: str) -> None:
        self.rule = rule
        self.host = host
        super().__init__(f"{host[:253] or 'The address'}: {RULES[rule]}.")

    @property
    def of_the_answer(self) -> bool:
        """Whether the other side was asked, and its answer is what is refused."""
        return self.rule in _OF_THE_ANSWER


class EgressFailed(EgressError):
    """The other side did not answer as it should; another try may succeed. `reason` is the sentence.

    `sent` is False where surely no byte of the request went out; `timed_out` where the time was up.
    """

    def __init__(self, reason: str, *, sent: bool = True, timed_out: bool = False) -> None:
        self.reason, self.sent, self.timed_out = reason, sent, timed_out
        super().__init__(reason)
