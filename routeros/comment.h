// The comment that identifies our rows: `PREFIX;pg=TAG;kind=D|P;dm=NAME`, byte by byte the same as
// ForgeDNS's. So each program can take over the other's rows.
//
// kind D: written for an answer; `dm` is the first name that caused it. kind P: a persistent entry,
// without `dm`. The comment is always printable ASCII, and no ';' or '=' comes from the name: such
// bytes are written `\DDD` (RFC 1035 5.1). The reader accepts tokens in any order, as ForgeDNS
// does.
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
    std::string_view name;  // of `dm=`, still escaped
    RowKind kind;
};
// No value if the comment does not begin with `PREFIX;` or has no `pg=` and `kind=`. An empty
// prefix matches any.
std::optional<CommentFacts> parse_comment(std::string_view prefix, std::string_view comment);
// The comment of a writer row: `steerdns;fleet=FLEET;writer=BOX;token=N`, with names escaped as
// above.
std::string writer_comment(std::string_view fleet, std::string_view box, std::uint64_t token);
struct WriterFacts {
    std::string_view fleet, box;  // still escaped
    std::uint64_t token = 0;      // 0: none, or not 1 to kHighestToken
};
// No value if it does not begin with `steerdns;` or has no `fleet=` and `writer=`.
std::optional<WriterFacts> parse_writer_comment(std::string_view comment);
// A name in the form of comments.
std::string escaped_name(std::string_view name);
// Whether a comment with any prefix has this form, with or without `dm`. Then another instance or
// ForgeDNS wrote it.
bool is_of_a_predecessor(std::string_view comment);

}  // namespace steer::routeros
