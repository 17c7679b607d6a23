#include "control/streams/fetch/list_facts.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>

#include "control/host/process/new_file.h"
#include "control/host/process/regular_file.h"

namespace steer::fetch {
namespace json = boost::json;
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLongest = 64 * 1024;

std::string path_of(const std::string& file) {
    return file + ".json";
}

std::string text(const json::object& all, const char* key) {
    const auto* const value = all.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string{};
}
std::uint64_t number(const json::object& all, const char* key) {
    const auto* const value = all.if_contains(key);
    json::error_code none;
    const auto out = value == nullptr ? 0 : value->to_number<std::uint64_t>(none);
    return none ? 0 : out;
}

}  // namespace

std::optional<ListFacts> load_facts(const std::string& file, const std::string& url) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    if (error) return std::nullopt;
    const auto bytes = read_regular(path_of(file), kLongest);
    if (!bytes || !*bytes) return std::nullopt;
    json::error_code bad;
    const json::value read = json::parse(**bytes, bad);
    const auto* const all = read.if_object();
    if (bad || all == nullptr) return std::nullopt;
    ListFacts facts{text(*all, "url"),      text(*all, "etag"),    text(*all, "last_modified"),
                    number(*all, "bytes"),  number(*all, "rules"), number(*all, "fetched"),
                    number(*all, "checked")};
    if (facts.url != url || facts.bytes != size) return std::nullopt;
    return facts;
}

Result<void> save_facts(const std::string& file, const ListFacts& facts) {
    const std::string bytes = json::serialize(json::object{{"url", facts.url},
                                                           {"etag", facts.etag},
                                                           {"last_modified", facts.last_modified},
                                                           {"bytes", facts.bytes},
                                                           {"rules", facts.rules},
                                                           {"fetched", facts.fetched_s},
                                                           {"checked", facts.checked_s}}) +
                              "\n";
    NewFile out(path_of(file));
    out.write(bytes);
    if (!out.replace(NewFile::kForAll)) return out.failure();
    return {};
}

}  // namespace steer::fetch
