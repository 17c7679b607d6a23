#include "control/sinks/set_process/nftables_writer.h"

#include <nftables/libnftables.h>
#include <sys/utsname.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace steer::sets {
namespace {

using boost::json::array;
using boost::json::object;

constexpr unsigned kOutput = NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_TERSE;
constexpr const char* kNothing = "No such file or directory";
constexpr const char* kNoSet = "there is no such set";

object place_of(const SetName& set) {
    return {{"family", set.family}, {"table", set.table}, {"name", set.name}};
}

boost::json::value value_of(const matchers::Prefix& prefix) {
    const std::string address = prefix.address.to_string();
    if (prefix.length == 128) return boost::json::value(address);
    const unsigned length = prefix.address.is_v4() ? prefix.length - 96U : prefix.length;
    return object{{"prefix", object{{"addr", address}, {"len", length}}}};
}

std::string command(array all) {
    return boost::json::serialize(object{{"nftables", std::move(all)}});
}

// The reason in "internal:0:0-0: Error: No such file or directory" and further lines.
std::string first_complaint(std::string_view text) {
    constexpr std::string_view kMark = "Error: ";
    if (const auto at = text.find(kMark); at != std::string_view::npos)
        text.remove_prefix(at + kMark.size());
    return std::string(text.substr(0, text.find('\n')));
}

bool has_word(const object& set, std::string_view key, std::string_view word) {
    const auto* const words = set.if_contains(key);
    if (words == nullptr || !words->is_array()) return false;
    for (const auto& one : words->get_array()) {
        if (one.is_string() && one.get_string() == word) return true;
    }
    return false;
}

Result<SetAbility> ability_of(const object& set, const SetName& name) {
    const auto* const type = set.if_contains("type");
    const std::string_view wanted = name.v6 ? "ipv6_addr" : "ipv4_addr";
    if (type == nullptr || !type->is_string() || type->get_string() != wanted) {
        return Error{"its type is " +
                     (type == nullptr ? std::string("unknown") : boost::json::serialize(*type)) +
                     ", expected " + std::string(wanted)};
    }
    if (has_word(set, "flags", "constant")) return Error{"it is constant: nothing can be added"};
    return SetAbility{.timeouts = has_word(set, "flags", "timeout") || set.contains("timeout"),
                      .prefixes = has_word(set, "flags", "interval")};
}

}  // namespace

bool NftablesWriter::kernel_renews() {
    utsname kernel{};
    unsigned major = 0, minor = 0;
    if (::uname(&kernel) != 0) return false;
    const char* const end = kernel.release + std::strlen(kernel.release);
    const auto [dot, bad] = std::from_chars(kernel.release, end, major);
    if (bad != std::errc{} || dot == end || *dot != '.') return false;
    std::from_chars(dot + 1, end, minor);
    return major > 6 || (major == 6 && minor >= 12);
}

NftablesWriter::NftablesWriter(bool renews)
    : context_(nft_ctx_new(NFT_CTX_DEFAULT)), renews_(renews) {
    if (context_ == nullptr) throw std::bad_alloc();
    nft_ctx_output_set_flags(context_, kOutput);
    nft_ctx_buffer_output(context_);
    nft_ctx_buffer_error(context_);
}

NftablesWriter::~NftablesWriter() {
    nft_ctx_free(context_);
}

Result<std::string> NftablesWriter::run(const std::string& text) {
    const int failed = nft_run_cmd_from_buffer(context_, text.c_str());
    const char* const output = nft_ctx_get_output_buffer(context_);
    const char* const complaint = nft_ctx_get_error_buffer(context_);
    if (failed != 0) return Error{first_complaint(complaint == nullptr ? "" : complaint)};
    return {boost::system::in_place_value, output == nullptr ? "" : output};
}

Result<SetAbility> NftablesWriter::read(const SetName& set) {
    add_alone_.erase(set);
    const auto listed = run(command({object{{"list", object{{"set", place_of(set)}}}}}));
    if (!listed) return Error{listed.error().text == kNothing ? kNoSet : listed.error().text};
    boost::json::error_code no_json;
    const auto answer = boost::json::parse(*listed, no_json);
    const auto* const all =
        no_json || !answer.is_object() ? nullptr : answer.get_object().if_contains("nftables");
    if (all == nullptr || !all->is_array()) return Error{"libnftables gave no reason"};
    for (const auto& one : all->get_array()) {
        const auto* const found = one.is_object() ? one.get_object().if_contains("set") : nullptr;
        if (found == nullptr || !found->is_object()) continue;
        auto ability = ability_of(found->get_object(), set);
        if (ability) ability->evicts = ability->timeouts && !merges(set);
        return ability;
    }
    return Error{kNoSet};
}

// libnftables 1.0.6 says it in text only.
bool NftablesWriter::merges(const SetName& set) {
    nft_ctx_output_set_flags(context_, NFT_CTX_OUTPUT_TERSE);
    const auto listed = run("list set " + set.family + " " + set.table + " " + set.name);
    nft_ctx_output_set_flags(context_, kOutput);
    return !listed || listed->find("auto-merge") != std::string::npos;
}

Result<void> NftablesWriter::add(const SetName& set, std::span<const SetElement> elements) {
    array with_timeout, bare;
    with_timeout.reserve(elements.size());
    bare.reserve(elements.size());
    for (const SetElement& element : elements) {
        auto value = value_of(element.prefix);
        bare.push_back(value);
        if (element.timeout_s == 0) {
            with_timeout.push_back(std::move(value));
        } else {
            with_timeout.push_back(object{{"elem", object{{"val", std::move(value)},
                                                          {"timeout", element.timeout_s},
                                                          {"expires", element.timeout_s}}}});
        }
    }
    const auto step = [&](std::string_view verb, const array& values) {
        object element = place_of(set);
        element["elem"] = values;
        return boost::json::value(object{{verb, object{{"element", std::move(element)}}}});
    };
    const bool timed = !elements.empty() && elements.front().timeout_s != 0;
    if (timed && !renews_ && !add_alone_.contains(set)) {
        const auto done = run(
            command({step("add", with_timeout), step("delete", bare), step("add", with_timeout)}));
        if (done) return {};
        if (!run(command({step("add", with_timeout)}))) return done.error();
        add_alone_.insert(set);
        return {};
    }
    const auto done = run(command({step("add", with_timeout)}));
    if (!done) return done.error();
    return {};
}

// A command fails as a whole if one of its elements is missing: it ended a moment ago. Not for a set with auto-merge:
// libnftables 1.0.6 reads memory that it did not write when it divides merged elements, and may crash.
Result<void> NftablesWriter::remove(const SetName& set,
                                    std::span<const matchers::Prefix> elements) {
    const auto delete_some = [&](std::span<const matchers::Prefix> some) {
        array values;
        for (const matchers::Prefix& one : some)
            values.push_back(value_of(one));
        object element = place_of(set);
        element["elem"] = std::move(values);
        return run(command({object{{"delete", object{{"element", std::move(element)}}}}}));
    };
    if (delete_some(elements)) return {};
    Result<void> all;
    for (const matchers::Prefix& one : elements) {
        const auto done = delete_some(std::span(&one, 1));
        const std::string text = one.length == 128 ? one.address.to_string() : one.to_string();
        if (!done && run("get element " + set.family + " " + set.table + " " + set.name + " { " +
                         text + " }"))
            all = done.error();
    }
    return all;
}

Result<bool> NftablesWriter::has(const SetName& /*set*/, const matchers::Prefix& /*prefix*/) {
    return Error{"not asked of nftables"};
}

}  // namespace steer::sets
