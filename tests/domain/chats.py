"""One complete URL for every kind of chat, its tokens made up."""

_HEX = "0123456789abcdef"
_WEBEX = "a" * 80

CHATS = {
    url.partition(":")[0]: url
    for url in (
        f"dingtalk://{_HEX}",
        f"discord://123456789012345678/{_HEX * 4}?thread=42",
        f"feishu://{_HEX}",
        f"flock://{_HEX}",
        f"gchat://AAAAspace/{_HEX}/{_HEX}%3D",
        "gotify://push.example.org/A1b2C3d4E5f6G7h",
        "gotifys://push.example.org/gotify/A1b2C3d4E5f6G7h?priority=high",
        f"lark://{_HEX}",
        f"line://{_HEX}/U{_HEX}",
        "matrix://syt_token@matrix.example.org/#ops",
        "matrixs://syt_token@matrix.example.org/#ops",
        f"mmost://bot@chat.example.org:8065/{_HEX}1234567890",
        f"mmosts://chat.example.org/path/{_HEX}1234567890?channel=ops",
        "ntfy://push.example.org/topic",
        "ntfys://user:pass@push.example.org/topic?priority=high",
        f"pbul://{_HEX}",
        "pover://uQiRzpo4DXghDmr9QzzfQu27cmVRsG@azGDORePK8gMaC0QOYAMyEEuzJnyUi?priority=high",
        "rocket://aaaaaaaaaaaaaaaaa%2Fbbbbbbbbbbbbbbbbbbbb@chat.example.org/#ops",
        "rockets://user:pass@chat.example.org/#ops",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops",
        "tgram://123456789:abcdefg_hijklmnop-qrstuvwxyzABCDEFGH/12315544?topic=7",
        f"webex://{_WEBEX}",
        f"workflow://prod-1.logic.example:443/{_HEX}/{_HEX}",
        f"workflows://prod-1.logic.example:443/{_HEX}/{_HEX}?pa=yes",
        f"wxteams://{_WEBEX}",
        f"zulip://bot@org.zulipchat.com/{_HEX * 2}/ops",
    )
}
