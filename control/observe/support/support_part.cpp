// `support`, as a part of the daemon: one client's last 15 minutes for a hotline.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/observe/health/doctor_part.h"
#include "control/observe/recorder/deciders.h"
#include "control/observe/recorder/history.h"
#include "control/observe/recorder/recorder_part.h"
#include "control/observe/support/support_client.h"
#include "control/observe/support/support_sheet.h"
#include "control/parts.h"
#include "control/sinks/routers/routers_part.h"
#include "control/sources/blocking/blocking_part.h"
#include "matchers/quote.h"
#include "routeros/router.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::int64_t kSeconds = 900;

ops::RpcError unavailable(std::string why) {
    return {ops::RpcCode::internal_error, std::move(why)};
}

// One router's rows for these addresses.
void add_rows(const RouterThread::Seen& seen, const std::vector<IpAddress>& addresses,
              std::uint64_t now_ms, array& rows) {
    std::vector<ListId> lists;
    for (std::size_t number = 0; number < kMaxLists; ++number) {
        const auto list = static_cast<ListId>(number);
        if (!seen.router.tag_of(list).empty()) lists.push_back(list);
    }
    const bool is_known = seen.router.status().state == routeros::RouterState::in_sync;
    for (const IpAddress& address : addresses) {
        for (const ListId list : lists) {
            if (!seen.router.has_claim(list, address.bytes)) continue;
            const auto state = seen.router.row_state(list, address.bytes, now_ms);
            if (is_known && state.empty()) continue;  // the claim is over
            rows.push_back(
                object{{"router", seen.name},
                       {"address", address.to_string()},
                       {"list", seen.router.tag_of(list)},
                       {"name", seen.router.name_of(list, address.bytes)},
                       {"row", is_known ? support::words_of_row(state)
                                        : std::string_view("unknown, the router is not in sync")}});
        }
    }
}

class SupportPart final : public Part {
  public:
    static constexpr std::string_view kName = "support";
    using Needs = steer::Needs<MainLoop, StartSettings, Events, RecorderPart, RoutersPart,
                               DoctorPart, BlockingPart>;
    explicit SupportPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          events_(needs.get<Events>()),
          recorder_(needs.get<RecorderPart>()),
          routers_(needs.get<RoutersPart>()),
          doctor_(needs.get<DoctorPart>()),
          blocking_(needs.get<BlockingPart>()) {}

    void add_methods(ops::Methods& methods) override;
    void serve() override { take(settings_.get()); }
    void follow(const config::Settings& settings, build::Built&) override { take(settings); }
    void add_status(object& all) override {
        if (is_on_) all["support"] = true;
    }

  private:
    struct NamedRecorder {
        std::string tag;
        config::QueryRecorder settings;
    };
    void take(const config::Settings& settings);
    void run(const ops::Arguments& asked, const ops::RpcDone& done);
    // The recorder whose database a request reads; nullptr: none.
    [[nodiscard]] const NamedRecorder* recorder_of(const ops::Arguments& asked) const;
    void add_rule_numbers(support::Sheet& sheet, const IpAddress& client) const;
    void add_row_states(support::Sheet sheet, const ops::RpcDone& done);

    MainLoop& main_;
    const StartSettings& settings_;
    Events& events_;
    RecorderPart& recorder_;
    RoutersPart& routers_;
    DoctorPart& doctor_;
    BlockingPart& blocking_;
    bool is_on_ = false;
    std::vector<NamedRecorder> recorders_;  // those with a database
};

void SupportPart::take(const config::Settings& settings) {
    is_on_ = settings.control.support;
    recorders_.clear();
    for (const auto& plugin : settings.plugins) {
        const auto* const recorder = std::get_if<config::QueryRecorder>(&plugin.args);
        if (recorder != nullptr && !recorder->path.empty())
            recorders_.push_back({plugin.tag, *recorder});
    }
}

void SupportPart::add_methods(ops::Methods& methods) {
    methods.add(
        {.name = "support",
         .help = "Shows the last 15 minutes of one client, where `control.support` is on; audited.",
         .changes = ops::Changes::nothing(),
         .piece = ops::Piece::report(),
         .role = AccessRole::operate,
         .parameters = {{"client", ops::ParamType::client, "of IPv6, a prefix of /48 or longer",
                         true},
                        {"plugin", ops::ParamType::text,
                         "the tag of a query_recorder; without it, the first with a database"}},
         .run =
             [this](const ops::Arguments& asked, const ops::RpcDone& done) {
                 // The audit logs no other method that changes nothing.
                 run(asked, [audit = events_.audit(), asked, done](ops::RpcResult result) {
                     if (audit)
                         audit(
                             ops::audit_line(asked.caller().who, "support", asked.json(), result));
                     done(std::move(result));
                 });
             },
         .members = "client from to one_in only_marked queries complete read_from_us? asked "
                    "blocked failed slow steered rows marks",
         .result = "the client's queries in groups, the rows for its answers, and what the "
                   "doctor saw of marks"});
}

const SupportPart::NamedRecorder* SupportPart::recorder_of(const ops::Arguments& asked) const {
    const std::string tag = asked.text("plugin");
    const auto status = recorder_.recorder().status();
    for (const auto& one : status.recordings) {
        const auto known = std::ranges::find(recorders_, one.tag, &NamedRecorder::tag);
        if (known != recorders_.end() && (tag.empty() || one.tag == tag)) return &*known;
    }
    return nullptr;
}

void SupportPart::run(const ops::Arguments& asked, const ops::RpcDone& done) {
    if (!is_on_)
        return done(unavailable(
            "the view of one client is off: write `support: true` in `control`, and reload"));
    const auto client = support::client_from(asked.text("client"));
    if (!client) return done(ops::bad_params(client.error().text));
    object about{{"client", support::text_of(*client)}, {"one_in", 1}, {"only_marked", false}};
    if (const NamedRecorder* const recorder = recorder_of(asked)) {
        if (const std::string why = support::obstacle(recorder->settings, *client); !why.empty())
            return done(
                unavailable("query_recorder " + matchers::quoted(recorder->tag) + " " + why));
        about["one_in"] = recorder->settings.one_in;
        about["only_marked"] =
            !recorder->settings.include_marks.empty() || !recorder->settings.exclude_marks.empty();
    }
    const std::int64_t to = std::chrono::duration_cast<std::chrono::seconds>(
                                std::chrono::system_clock::now().time_since_epoch())
                                .count() +
                            1;
    about["from"] = to - kSeconds;
    about["to"] = to;
    recorder::HistoryFilter filter;
    filter.client = *client;
    filter.time = {(to - kSeconds) * recorder::kMicroseconds, to * recorder::kMicroseconds};
    filter.limit = recorder::kMostRows;
    // Made on the thread that reads: the main thread gets a short result.
    const auto sheet = std::make_shared<support::Sheet>();
    recorder_.methods().read(
        asked,
        [filter, sheet](const std::string& path) -> Result<value> {
            const auto history = recorder::read_history(path, filter);
            if (!history) return history.error();
            *sheet = support::sheet_of(*history);
            return value(nullptr);
        },
        [this, sheet, client = *client, about = std::move(about),
         done](const ops::RpcResult& read) {
            if (!read)
                return done(ops::RpcError{read.error().code,
                                          "no history to show: " + read.error().message});
            for (const auto& member : about)
                sheet->json[member.key()] = member.value();
            if (client.length == 128) add_rule_numbers(*sheet, client.address);
            sheet->json["marks"] = doctor_.reports().steps_about("mark");
            add_row_states(std::move(*sheet), done);
        });
}

// A record says that a rule of people decided, and not which one.
void SupportPart::add_rule_numbers(support::Sheet& sheet, const IpAddress& client) const {
    for (value& one : sheet.json.at("blocked").as_array()) {
        object& group = one.as_object();
        const value* const by = group.if_contains("plugin");
        const value* const name = group.if_contains("name");
        if (by == nullptr || name == nullptr || by->as_string() != recorder::kRulesOfPeople)
            continue;
        const std::uint32_t number =
            blocking_.deciding(std::string_view(name->as_string()), client);
        if (number != 0) group["rule"] = "rule " + std::to_string(number);
    }
}

void SupportPart::add_row_states(support::Sheet sheet, const ops::RpcDone& done) {
    const auto shared = std::make_shared<support::Sheet>(std::move(sheet));
    routers_.thread()->visit([&io = main_.io(), shared, done](
                                 const std::vector<RouterThread::Seen>& all, std::uint64_t now_ms) {
        array rows;
        for (const auto& seen : all)
            add_rows(seen, shared->addresses, now_ms, rows);
        // Addresses of steered answers that no router was given, or whose rows have ended.
        for (std::size_t i = 0; i < shared->steered_addresses && !all.empty(); ++i) {
            const std::string text = shared->addresses[i].to_string();
            if (std::ranges::none_of(
                    rows, [&](const value& row) { return row.at("address").as_string() == text; }))
                rows.push_back(object{{"address", text}, {"row", "none"}});
        }
        shared->json["rows"] = std::move(rows);
        boost::asio::post(io, [shared, done] { done(value(std::move(shared->json))); });
    });
}

}  // namespace

Parts::Maker support_part() {
    return Parts::maker<SupportPart>();
}

}  // namespace steer
