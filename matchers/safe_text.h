// Makes text from other machines safe to show: RouterOS messages and comments, HTTP reason
// phrases, certificate subjects, DHCP host names, lines of downloaded lists.
//
// Guarantees valid UTF-8 on one line, at most `most` bytes. Control characters (C0, DEL, C1),
// characters that reorder or hide text (U+200B..200F, U+2028..202E, U+2060..206F, U+FEFF) and bytes
// that are not UTF-8 become \xHH. Longer text ends in "...". Safe text is not changed, so a second
// call changes nothing. Backslashes stay: the result is for people, not for parsers.
//
// Every log line passes through it (control/api/log/log.cpp), and metric labels and the output of
// `steerctl` do too. safe_json() does the same for the control socket. Also call safe_text() where
// remote text enters, because that limits the length of each text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace steer {

inline constexpr std::size_t kRemoteTextBytes = 200;     // of one text
inline constexpr std::size_t kSafeLineBytes = 4 * 1024;  // of one log line

std::string safe_text(std::string_view text, std::size_t most = kRemoteTextBytes);
// Whether safe_text() would not change it. Allocates nothing.
bool is_safe_text(std::string_view text, std::size_t most = kRemoteTextBytes);

// The longest beginning of `text` with whole characters and at most `most` bytes (or `most`
// characters). A byte that is not UTF-8 counts as a character.
std::string_view whole_bytes(std::string_view text, std::size_t most);
std::string_view whole_characters(std::string_view text, std::size_t most);

// Returns serialized JSON on one line, with the same characters escaped as JSON requires (RFC 8259
// 7). Its strings stay equal, except that a byte that is not UTF-8 becomes the four characters
// \xHH.
std::string safe_json(std::string serialized);

}  // namespace steer
