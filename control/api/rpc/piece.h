// The most that a method answers in one piece, and the pages of longer lists.
//
// Every method declares its Piece, and the transport refuses a longer answer (json_rpc.h). So no
// request can keep the main thread busy with one answer.
//
// A list that can be long is answered page by page: `more` is true, and `cursor` is the parameter
// for the next page. The last page has no cursor. A client that appends the arrays of all pages,
// and takes the other members of the last one, has the whole answer. A page is taken at one moment. An entry
// that stays from the first page to the last one comes exactly once, so a cursor is a key, or a
// place in an order that others' changes keep. A cursor that has lost its place is an error: the
// client begins again.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/rpc/rpc_result.h"

namespace steer::ops {

class Piece {
  public:
    // In bytes of JSON, before text in it is made safe.
    static constexpr std::size_t kSmall = std::size_t{64} << 10;
    static constexpr std::size_t kMost = std::size_t{16} << 20;
    // Of a page: its rows have kPageBytes, and a last one that began below that.
    static constexpr std::size_t kPageBytes = std::size_t{512} << 10;
    static constexpr std::size_t kMostPage = std::size_t{4} << 20;

    // An answer that constants or the configuration limit.
    static constexpr Piece whole(std::size_t most_bytes) { return Piece{most_bytes, 0}; }
    static constexpr Piece small() { return whole(kSmall); }
    // An answer that grows with the configuration: with routers, lists, workers.
    static constexpr Piece report() { return whole(kMost); }
    // A list that grows with a table.
    static constexpr Piece pages(std::size_t most_rows) { return Piece{kMostPage, most_rows}; }

    [[nodiscard]] constexpr std::size_t most_bytes() const { return most_bytes_; }
    [[nodiscard]] constexpr std::size_t most_rows() const { return most_rows_; }  // 0: no pages
    [[nodiscard]] constexpr bool has_pages() const { return most_rows_ != 0; }

  private:
    constexpr Piece(std::size_t most_bytes, std::size_t most_rows)
        : most_bytes_(most_bytes), most_rows_(most_rows) {}
    std::size_t most_bytes_, most_rows_;
};

// The parameter and the last member of a method with pages.
inline constexpr std::string_view kCursor = "cursor";
inline constexpr std::string_view kPageMember = "cursor?";
// A member of an object that goes on with the last one of the page before: their arrays are one.
inline constexpr std::string_view kContinued = "continued";

// What a method needs to find its place again. Clients do not read it.
class Cursor {
  public:
    Cursor(std::initializer_list<std::string> parts) : parts_(parts) {}
    // No value: it does not have that many parts.
    static std::optional<Cursor> from(std::string_view text, std::size_t parts);

    [[nodiscard]] std::string text() const;
    [[nodiscard]] const std::string& operator[](std::size_t part) const { return parts_[part]; }
    // No value: not a whole number.
    [[nodiscard]] std::optional<std::uint64_t> number(std::size_t part) const;

  private:
    std::vector<std::string> parts_;
};

// The same after a restart, and in another process.
[[nodiscard]] std::uint64_t hash_of(std::string_view bytes);

// Of a list that a change replaces, where rows that stay keep their order: the first row behind the
// one that was at `row` and has this hash. No value: that row left.
template <class HashAt>
std::optional<std::size_t> row_behind(std::size_t row, std::uint64_t hash, std::size_t rows,
                                      HashAt hash_at) {
    // From `row` on downwards, then upwards: removals are more likely than insertions.
    const std::size_t from = row < rows ? row : rows - 1;
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t at = i <= from ? from - i : i;
        if (hash_at(at) == hash) return at + 1;
    }
    return std::nullopt;
}

// Not in the standard: begin again without a cursor.
[[nodiscard]] RpcError lost_place();
// The text is not a cursor of this method.
[[nodiscard]] RpcError bad_cursor();

// The space in one page. Any thread.
class PageRoom {
  public:
    explicit PageRoom(std::size_t most_rows) : rows_left_(most_rows) {}
    PageRoom(const Piece& piece, std::size_t wanted)
        : rows_left_(wanted < piece.most_rows() ? wanted : piece.most_rows()) {}

    [[nodiscard]] bool is_full() const { return rows_left_ == 0 || bytes_ >= Piece::kPageBytes; }
    // Call it while it is not full.
    void add(boost::json::array& rows, boost::json::value row);
    // For a row that is built elsewhere, of about that many bytes.
    void count(std::size_t bytes) {
        --rows_left_;
        bytes_ += bytes;
    }

  private:
    std::size_t rows_left_, bytes_ = 0;
};

// Ends an answer. A last page gets nothing, so that a short list has one form.
void end_page(boost::json::object& answer, const std::optional<Cursor>& next);

// About the bytes of its JSON, without making it.
[[nodiscard]] std::size_t json_bytes(const boost::json::value& value);

}  // namespace steer::ops
