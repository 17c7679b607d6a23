#include "control/sources/records/static_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "control/config/report.h"
#include "control/sources/records/record_words.h"
#include "matchers/quote.h"

namespace steer::records {
namespace asio = boost::asio;
namespace json = boost::json;

using ops::bad_params;
using ops::RpcCode;
using ops::RpcError;

namespace {

json::object shown(const std::string& tag, std::size_t number, const config::WrittenRecord& record,
                   const std::string& place) {
    json::object words;
    for (const auto& [property, value] : properties_of(record.fields))
        words[property] = value;
    return {{"plugin", tag},
            {"number", number},
            {"runtime", record.is_runtime},
            {"place", place},
            {"disabled", value_of(record.fields, "disabled") == "yes"},
            {"words", std::move(words)}};
}

constexpr ops::Piece kRecords = ops::Piece::pages(2'000);
constexpr std::size_t kCursorParts = 3;  // the plugin, the number of a record, a hash of it

// A page of `static.print`, while it is filled.
struct Records {
    const config::RecordFields& filter;
    std::optional<ops::Cursor> after{};  // until its place is found
    ops::PageRoom room{kRecords.most_rows()};
    std::optional<ops::Cursor> last{};
    json::array rows{};
    bool has_more = false;

    static std::uint64_t hash_of(const config::WrittenRecord& record) {
        return ops::hash_of(words_of(record.fields));
    }
    // No value: the record of the cursor was removed.
    [[nodiscard]] std::optional<std::size_t> first_of(const config::StaticPlugins::One& one) {
        const auto row = after->number(1), hash = after->number(2);
        const auto& all = one.records.written;
        if (!row || !hash) return std::nullopt;
        return ops::row_behind(*row, *hash, all.size(), [&](auto i) { return hash_of(all[i]); });
    }
    // False: the page is full, or its place is lost.
    bool fill(const config::StaticPlugins::One& one) {
        std::size_t i = 0;
        if (after) {
            if ((*after)[0] != one.tag) return true;
            const auto first = first_of(one);
            if (!first) return false;
            i = *first;
            after.reset();
        }
        for (; i < one.records.written.size(); ++i) {
            const config::WrittenRecord& record = one.records.written[i];
            if (!matches(record.fields, filter)) continue;
            has_more = room.is_full();
            if (has_more) return false;
            room.add(rows, shown(one.tag, i, record, one.places[i]));
            last = ops::Cursor{one.tag, std::to_string(i), std::to_string(hash_of(record))};
        }
        return true;
    }
};

}  // namespace

StaticService::StaticService(asio::io_context& main_io, Reload reload, Flush flush)
    : reload_(std::move(reload)), flush_(std::move(flush)), aside_(main_io, "static") {}

void StaticService::add_methods(ops::Methods& methods) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kPlugin{"plugin", ParamType::text,
                                     "the tag of a static; needed if there are several"};
    methods.add({.name = "static.print",
                 .help = "Shows the records of static plugins, and where they are written.",
                 .changes = Changes::nothing(),
                 .piece = kRecords,
                 .parameters = {{"plugin", ParamType::text, "the tag of a static; without it, all"},
                                {"where", ParamType::texts,
                                 "only records with these properties, as in [\"name=nas.lan\"]"}},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { print(asked, done); },
                 .members = "file records more? cursor?",
                 .result = "the records, each with its plugin and its origin"});
    methods.add(
        {.name = "static.add",
         .help = "Adds a record to a static; returns when it is active.",
         .changes = Changes::always(),
         .piece = ops::Piece::report(),
         .parameters = {kPlugin,
                        {"record", ParamType::texts,
                         "RouterOS's properties, as in [\"name=nas.lan\", "
                         "\"address=192.168.88.10\"]",
                         true}},
         .run = [this](const ops::Arguments& asked, const ops::RpcDone& done) { add(asked, done); },
         .members = "plugin file added generation flushed? trouble?",
         .result = "the generation of the configuration in force"});
    methods.add({.name = "static.remove",
                 .help = "Removes records that static.add added; returns when they are gone.",
                 .changes = Changes::always(),
                 .piece = ops::Piece::report(),
                 .parameters = {kPlugin,
                                {"number", ParamType::number, "the number of a record, as printed"},
                                {"where", ParamType::texts,
                                 "all records with these properties, as in [\"name=nas.lan\"]"}},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { remove(asked, done); },
                 .members = "plugin file removed generation flushed? trouble?",
                 .result = "the generation of the configuration in force"});
}

void StaticService::follow(const config::Settings& settings) {
    file_ = settings.control.static_file;
    plugins_ = std::make_shared<config::StaticPlugins>(config::static_plugins(settings));
}

// ---- what is asked

const StaticService::Plugin* StaticService::find(const std::string& tag,
                                                 const ops::RpcDone& done) const {
    const auto& all = plugins_->plugins;
    if (all.empty()) {
        done(
            bad_params("the configuration has no static: add one in front of the cache, as in "
                       "'- {tag: local, type: static}', and run it in a sequence"));
        return nullptr;
    }
    if (tag.empty() && all.size() == 1) return &all.front();
    std::vector<std::string_view> tags;
    std::string names;
    for (const Plugin& one : all) {
        if (one.tag == tag) return &one;
        tags.push_back(one.tag);
        names += (names.empty() ? "" : ", ") + one.tag;
    }
    if (tag.empty()) {
        done(bad_params("there are several static plugins: name one with --plugin, of " + names));
        return nullptr;
    }
    const std::string hint = config::did_you_mean(tag, tags);
    done(bad_params("there is no static " + matchers::quoted(tag) +
                    (hint.empty() ? ": there is " + names : hint)));
    return nullptr;
}

void StaticService::print(const ops::Arguments& asked, const ops::RpcDone& done) const {
    const auto tag = asked.find_text("plugin");
    if ((tag || plugins_->plugins.empty()) && find(tag.value_or(""), done) == nullptr) return;
    const auto filter = fields_of(asked.texts("where"));
    if (!filter) return done(bad_params(filter.error().text));
    Records page{.filter = *filter};
    if (const auto cursor = asked.find_text(ops::kCursor)) {
        page.after = ops::Cursor::from(*cursor, kCursorParts);
        if (!page.after) return done(ops::bad_cursor());
    }
    for (const Plugin& one : plugins_->plugins) {
        if ((!tag || one.tag == *tag) && !page.fill(one)) break;
    }
    if (page.after) return done(ops::lost_place());
    json::object out{{"file", file_}, {"records", std::move(page.rows)}};
    if (page.has_more) ops::end_page(out, page.last);
    done(json::value(std::move(out)));
}

void StaticService::add(const ops::Arguments& asked, const ops::RpcDone& done) {
    const Plugin* const plugin = find(asked.text("plugin"), done);
    if (plugin == nullptr) return;
    auto fields = fields_of(asked.texts("record"));
    if (!fields) return done(bad_params(fields.error().text));
    auto request = std::make_shared<Request>();
    request->change = {plugin->tag, *std::move(fields), {}};
    request->with_pointers = plugin->records.ptr;
    request->done = done;
    take(std::move(request));
}

void StaticService::remove(const ops::Arguments& asked, const ops::RpcDone& done) {
    const Plugin* const plugin = find(asked.text("plugin"), done);
    if (plugin == nullptr) return;
    const auto words = asked.texts("where");
    if (asked.has("number") == !words.empty())
        return done(
            bad_params("write which records to remove: a number, as printed, or "
                       "properties, as in name=nas.lan"));
    const auto filter = fields_of(words);
    if (!filter) return done(bad_params(filter.error().text));
    const auto& written = plugin->records.written;
    auto request = std::make_shared<Request>();
    request->change.tag = plugin->tag;
    std::size_t other = written.size();  // one of the configuration that was meant
    for (std::size_t i = 0; i < written.size(); ++i) {
        const bool is_meant = asked.has("number") ? i == asked.number("number", 0)
                                                  : matches(written[i].fields, *filter);
        if (!is_meant) continue;
        if (written[i].is_runtime) {
            request->change.remove.push_back(written[i].fields);
        } else {
            other = i;
        }
    }
    if (request->change.remove.empty()) {
        if (other == written.size())
            return done(bad_params("static '" + plugin->tag +
                                   "' has no such record: 'steerctl static print' shows all"));
        return done(bad_params("record " + std::to_string(other) + " is in the configuration, at " +
                               plugin->places[other] + ": remove it there, then reload"));
    }
    request->with_pointers = plugin->records.ptr;
    request->done = done;
    take(std::move(request));
}

// ---- one change at a time

void StaticService::take(RequestPtr request) {
    if (file_.empty()) {
        ++refused_;
        return request->done(
            bad_params("records are not kept: `control.static` is off; give it a file"));
    }
    if (waiting_.size() >= kMaxWaiting) {
        ++refused_;
        return request->done(RpcError{
            RpcCode::internal_error,
            std::to_string(kMaxWaiting) + " changes of static records wait already: try again"});
    }
    waiting_.push_back(std::move(request));
    if (waiting_.size() == 1) begin();
}

void StaticService::begin() {
    aside_.run(
        [request = waiting_.front(), plugins = plugins_, file = file_]() -> Result<Written> {
            if (request->change.add) {
                auto good = config::try_record(*plugins, request->change.tag, *request->change.add);
                if (!good) return std::move(good).error();
            }
            return change_file(file, request->change);
        },
        [this](const Result<Written>& written) { wrote(written); });
}

void StaticService::wrote(const Result<Written>& written) {
    if (!written) return refuse(written.error().text);
    put_in_force(*written);
}

void StaticService::put_in_force(const Written& written) {
    const std::string tag = waiting_.front()->change.tag;
    reload_("records of '" + tag + "'", [this, written,
                                         alive = aside_.alive()](const InForce& outcome) {
        if (!*alive) return;
        if (outcome.error.empty()) return flush(outcome.generation);
        aside_.run([file = file_, written] { return restore_file(file, written); },
                   [this, error = outcome.error](const Result<void>& restored) {
                       if (!restored) spdlog::warn("{}", restored.error().text);
                       refuse("not in force, and " +
                              (restored ? std::string("not kept")
                                        : "still in the file (" + restored.error().text + ")") +
                              ": " + error);
                   });
    });
}

void StaticService::flush(std::uint32_t generation) {
    const RequestPtr request = waiting_.front();
    std::vector<matchers::Rule> names;
    std::vector<config::RecordFields> changed = request->change.remove;
    if (request->change.add) changed.push_back(*request->change.add);
    for (const config::RecordFields& fields : changed) {
        auto some = names_of(fields, request->with_pointers);
        std::move(some.begin(), some.end(), std::back_inserter(names));
    }
    flush_(std::move(names), [this, request, changed = std::move(changed), generation,
                              alive = aside_.alive()](const Result<std::uint64_t>& flushed) {
        if (!*alive) return;
        const bool is_new = request->change.add.has_value();
        json::array texts;
        for (const config::RecordFields& fields : changed)
            texts.emplace_back(words_of(fields));
        (is_new ? added_ : removed_) += changed.size();
        json::object out{{"plugin", request->change.tag},
                         {"file", file_},
                         {is_new ? "added" : "removed", std::move(texts)},
                         {"generation", generation}};
        if (flushed) {
            out["flushed"] = *flushed;
        } else {
            out["trouble"] = "cached answers of these names stay until they expire: " +
                             flushed.error().sentence();
        }
        end(json::value(std::move(out)));
    });
}

void StaticService::refuse(const std::string& why) {
    ++refused_;
    end(bad_params(why));
}

void StaticService::end(ops::RpcResult result) {
    const RequestPtr request = waiting_.front();
    waiting_.pop_front();
    if (!waiting_.empty()) begin();
    request->done(std::move(result));
}

void StaticService::write_metrics(ops::MetricWriter& writer) const {
    writer.family("steerdns_static_records");
    for (const Plugin& one : plugins_->plugins) {
        const auto runtime = static_cast<std::uint64_t>(std::ranges::count_if(
            one.records.written, [](const config::WrittenRecord& r) { return r.is_runtime; }));
        writer.sample({{"plugin", one.tag}, {"origin", "runtime"}}, runtime);
        writer.sample({{"plugin", one.tag}, {"origin", "configuration"}},
                      one.records.written.size() - runtime);
    }
    writer.family("steerdns_static_changes");
    writer.sample({{"result", "added"}}, added_);
    writer.sample({{"result", "removed"}}, removed_);
    writer.sample({{"result", "refused"}}, refused_);
}

}  // namespace steer::records
