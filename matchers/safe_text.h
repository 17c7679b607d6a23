// Makes text from other machines safe to show: RouterOS messages and comments, HTTP reason
// phrases, certificate subjects, DHCP host names, lines of downloaded lists.
//
// Guarantees: valid UTF-8 on one line, at most `most` bytes. Control characters (C0, DEL, C1),
// characters that reorder or hide text (U+200B..200F, U+2028..202E, U+2060..206F, U+FEFF) and bytes
// that are not UTF-8 become \xHH. Longer text ends in "...". Safe text is not changed, so a second
// call changes nothing. Backslashes are kept: the result is for people, not for parsers.
//
// Every log line passes through it (control/api/log/log.cpp), and so do metric labels and what
// `steerctl` prints; safe_json() does the same for the control socket. Call safe_text() where
// remote text enters, too: that limits the length of each text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace steer {

inline constexpr std::size_t kRemoteTextBytes = 200;     // of one text
inline constexpr std::size_t kSafeLineBytes = 4 * 1024;  // of one log line

std::string safe_text(std::string_view text, std::size_t most = kRemoteTextBytes);
// Whether safe_text() would return it unchanged. Allocates nothing.
bool is_safe_text(std::string_view text, std::size_t most = kRemoteTextBytes);

// The start of `text` that has at most `most` bytes, or `most` characters, and ends with a whole character. A byte that
// is not UTF-8 is a character.
std::string_view whole_bytes(std::string_view text, std::size_t most);
std::string_view whole_characters(std::string_view text, std::size_t most);

// Serialized JSON on one line with the same characters escaped by the means of JSON (RFC 8259 7):
// its strings stay equal, except that bytes that are not UTF-8 become the four characters \xHH.
std::string safe_json(std::string serialized);

}  // namespace steer
