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
// Of a writer row: `steerdns;fleet=FLEET;writer=BOX;token=N`, with names escaped as above.
std::string writer_comment(std::string_view fleet, std::string_view box, std::uint64_t token);
struct WriterFacts {
    std::string_view fleet, box;  // as written
    std::uint64_t token = 0;      // 0: none, or not 1 to kHighestToken
};
// No value if it does not begin with `steerdns;` or has no `fleet=` and `writer=`.
std::optional<WriterFacts> parse_writer_comment(std::string_view comment);
// A name as a comment has it.
std::string escaped_name(std::string_view name);
// Whether a comment with whatever prefix has this form, with or without `dm`: another instance wrote it, or ForgeDNS did.
bool is_of_a_predecessor(std::string_view comment);

}  // namespace steer::routeros
