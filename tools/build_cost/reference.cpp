// The unit of `tools/build --cost`: the CPU time of compiling this file is 1. It uses no source of this project, so only
// the compiler, the C++ library, Boost and the machine change its time. Do not edit it: every committed cost is a multiple of it.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;

template <int N>
struct Row {
    std::string name;
    std::vector<std::variant<std::int64_t, double, std::string>> cells;
    std::map<std::string, std::optional<std::string>> notes;
};

template <int N>
class Table {
  public:
    void add(Row<N> row) {
        by_name_[row.name].push_back(rows_.size());
        rows_.push_back(std::move(row));
    }
    std::size_t compact(const std::function<bool(const Row<N>&)>& keep) {
        const auto end = std::remove_if(rows_.begin(), rows_.end(),
                                        [&](const Row<N>& row) { return !keep(row); });
        const auto removed = static_cast<std::size_t>(rows_.end() - end);
        rows_.erase(end, rows_.end());
        std::sort(rows_.begin(), rows_.end(),
                  [](const Row<N>& a, const Row<N>& b) { return a.name < b.name; });
        return removed;
    }
    json::value to_json() const {
        json::array all;
        for (const Row<N>& row : rows_) {
            json::array cells;
            for (const auto& cell : row.cells) {
                std::visit([&](const auto& value) { cells.emplace_back(json::value_from(value)); },
                           cell);
            }
            json::object notes;
            for (const auto& [key, text] : row.notes) {
                notes[key] = text ? json::value(*text) : json::value(nullptr);
            }
            all.push_back({{"name", row.name},
                           {"cells", std::move(cells)},
                           {"notes", std::move(notes)},
                           {"kind", N}});
        }
        return all;
    }

  private:
    std::deque<Row<N>> rows_;
    std::unordered_map<std::string, std::vector<std::size_t>> by_name_;
};

template <int... N>
std::string report(std::integer_sequence<int, N...>) {
    std::ostringstream out;
    const auto one = [&out]<int K>(std::integral_constant<int, K>) {
        Table<K> table;
        table.add({"row", {std::int64_t{K}, 1.5, "text"}, {{"note", std::nullopt}}});
        out << table.compact([](const Row<K>& row) { return !row.name.empty(); })
            << table.to_json();
    };
    (one(std::integral_constant<int, N>()), ...);
    return out.str();
}

asio::awaitable<void> serve(asio::ip::tcp::socket socket) {
    asio::steady_timer timer(socket.get_executor());
    boost::beast::flat_buffer buffer;
    for (int i = 0; i < 9; ++i) {
        http::request<http::string_body> request;
        co_await http::async_read(socket, buffer, request, asio::use_awaitable);
        http::response<http::string_body> response(http::status::ok, request.version());
        response.body() = report(std::make_integer_sequence<int, 4>());
        response.prepare_payload();
        co_await http::async_write(socket, response, asio::use_awaitable);
        timer.expires_after(std::chrono::milliseconds(i));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

}  // namespace

void serve_all(asio::io_context& io, asio::ip::tcp::socket socket) {
    asio::co_spawn(io, serve(std::move(socket)), asio::detached);
    io.run();
}
