// The comment that identifies our rows: `PREFIX;pg=TAG;kind=D|P;dm=NAME`, byte for byte ForgeDNS's, so
// that each program can take over the other's rows.
//
// kind D: written for an answer, `dm` is the first name that led to it. kind P: a persistent entry,
// no `dm`. Whatever bytes a name has, the comment stays printable ASCII and no ';' or '=' comes
// from the name: such bytes are written `\DDD` (RFC 1035 5.1). The reader accepts tokens in any
// order, as ForgeDNS does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steer::routeros {

enum class RowKind : std::uint8_t { dynamic, persistent };

std::string row_comment(std::string_view prefix, std::string_view tag, RowKind kind,
                        std::string_view name = {});

struct CommentFacts {
    std::string_view tag;   // of `pg=`
    std::string_view name;  // of `dm=`, as written
    RowKind kind;
};
// No value if the comment does not begin with `PREFIX;` or has no `pg=` and `kind=`. An empty prefix
// matches any.
std::optional<CommentFacts> parse_comment(std::string_view prefix, std::string_view comment);
// Whether a comment with whatever prefix has this form, with or without `dm`: another instance wrote it, or ForgeDNS did.
bool is_of_a_predecessor(std::string_view comment);

}  // namespace steer::routeros
