// The most that a method answers in one piece: pages, cursors, and what the transport does with more.
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "control/api/rpc/json_rpc.h"
#include "control/api/rpc/methods.h"
#include "control/api/rpc/piece.h"

namespace steer::ops {
namespace {

namespace json = boost::json;

// A method whose answer has a text of `bytes` bytes.
Method with_text(std::size_t bytes) {
    return {.name = "talks",
            .help = "Talks.",
            .changes = Changes::nothing(),
            .piece = Piece::small(),
            .run = [bytes](const Arguments&) -> RpcResult {
                return json::value{{"text", std::string(bytes, 'x')}};
            },
            .members = "text",
            .result = "a text"};
}

json::object answer_of(std::size_t bytes, const std::string& id = "1") {
    Methods methods;
    methods.add(with_text(bytes));
    const std::string line =
        JsonRpc(methods).handle(R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"talks"})");
    return json::parse(line).as_object();
}

constexpr std::size_t kAround = std::string_view(R"({"text":""})").size();

}  // namespace

BOOST_AUTO_TEST_SUITE(pieces)

BOOST_AUTO_TEST_CASE(an_answer_within_its_piece_is_sent_and_a_longer_one_is_an_error) {
    const json::object longest = answer_of(Piece::kSmall - kAround);
    BOOST_TEST(longest.contains("result"));
    const json::object longer = answer_of(Piece::kSmall - kAround + 1);
    BOOST_REQUIRE(longer.contains("error"));
    BOOST_TEST(longer.at("error").at("code").as_int64() ==
               static_cast<int>(RpcCode::internal_error));
    const std::string why(longer.at("error").at("message").as_string());
    BOOST_TEST(why ==
               "the answer of talks has 65537 bytes, above its limit of 65536: ask for less");
}

BOOST_AUTO_TEST_CASE(the_id_of_a_client_does_not_count) {
    const std::string id = "\"" + std::string(2 * Piece::kSmall, 'i') + "\"";
    BOOST_TEST(answer_of(Piece::kSmall - kAround, id).contains("result"));
}

BOOST_AUTO_TEST_CASE(a_method_with_pages_takes_a_cursor) {
    Methods methods;
    Method method = with_text(1);
    method.piece = Piece::pages(10);
    method.members = "text more? cursor?";
    methods.add(std::move(method));
    BOOST_TEST(!check_params(*methods.find("talks"), json::object{{"cursor", "x"}}));
    const json::object described = describe(*methods.find("talks"));
    BOOST_TEST(described.at("most_rows").to_number<int>() == 10);
    BOOST_TEST(described.at("most_bytes").to_number<std::size_t>() == Piece::kMostPage);
}

BOOST_AUTO_TEST_CASE(a_page_is_full_by_rows_and_by_bytes) {
    PageRoom rows(2);
    json::array all;
    for (int i = 0; !rows.is_full(); ++i)
        rows.add(all, i);
    BOOST_TEST(all.size() == 2U);
    PageRoom bytes(1'000'000);
    json::array texts;
    while (!bytes.is_full())
        bytes.add(texts, json::string(100'000, '"'));  // two bytes each as JSON
    BOOST_TEST(texts.size() == 3U);
    BOOST_TEST(json::serialize(texts).size() >= Piece::kPageBytes);
    PageRoom few(Piece::pages(5), 3);
    BOOST_TEST(!few.is_full());
    for (int i = 0; i < 3; ++i)
        few.count(1);
    BOOST_TEST(few.is_full());
}

BOOST_AUTO_TEST_CASE(a_cursor_survives_as_text) {
    const Cursor cursor{"edge \"1\"", "18446744073709551615", "-1"};
    const auto read = Cursor::from(cursor.text(), 3);
    BOOST_REQUIRE(read);
    BOOST_TEST((*read)[0] == "edge \"1\"");
    BOOST_TEST(read->number(1).value_or(0) == UINT64_MAX);
    BOOST_TEST(!read->number(2));
    BOOST_TEST(!read->number(0));
    for (const char* const text : {"", "[", "1", "[1,2,3]", R"(["a","b"])", R"(["a","b","c","d"])"})
        BOOST_TEST(!Cursor::from(text, 3), text);
}

BOOST_AUTO_TEST_CASE(a_row_is_found_again_after_removals_and_insertions) {
    const auto find = [](std::size_t row, char wanted, const std::string& rows) {
        return row_behind(row, static_cast<std::uint64_t>(wanted), rows.size(),
                          [&](std::size_t i) { return static_cast<std::uint64_t>(rows[i]); });
    };
    BOOST_TEST(find(2, 'c', "abcd").value_or(99) == 3U);
    BOOST_TEST(find(2, 'c', "bcd").value_or(99) == 2U);
    BOOST_TEST(find(2, 'c', "xxxabcd").value_or(99) == 6U);
    BOOST_TEST(find(9, 'd', "abcd").value_or(99) == 4U);
    BOOST_TEST(!find(2, 'c', "abd"));
    BOOST_TEST(!find(0, 'c', ""));
}

// Only the last page has one form with a list that was never long.
BOOST_AUTO_TEST_CASE(only_a_page_before_the_last_says_more) {
    json::object last{{"rows", json::array{}}}, before = last;
    end_page(last, std::nullopt);
    BOOST_TEST(json::serialize(last) == R"({"rows":[]})");
    end_page(before, Cursor{"7"});
    BOOST_TEST(json::serialize(before) == R"({"rows":[],"more":true,"cursor":"[\"7\"]"})");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::ops
