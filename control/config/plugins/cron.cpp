// cron: runs executors at times of a schedule.
#include <algorithm>

#include "control/config/plugin_type.h"
#include "control/config/plugins/in_rule.h"
#include "control/config/reference.h"
#include "control/config/text/cron_time.h"
#include "control/config/text/time_zone.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct JobArgs {
    std::string name, schedule;
    std::optional<Milliseconds> interval;
    std::vector<Text> executors;
};

void read_executors(Reading& in, const Node& node, const Place& place, JobArgs& out) {
    out.executors = read_texts(in, node, place);
    if (node.is_list() && node.items.empty())
        in.report().error(place.line, place.name() + ": expected at least one executor");
}

constexpr std::array<Row<JobArgs>, 4> kJobRows{{
    {"name", &JobArgs::name, "required", "",
     "name of the job in the log and in metrics; must be unique"},
    {"schedule", &JobArgs::schedule, "none", "",
     "when the job runs, in crontab(5) syntax\nIts fields are minute, hour, day of month, "
     "month and day of week, as in `15 3 * * *` or `*/10 8-18 * * mon-fri`. `@hourly`, `@daily`, "
     "`@weekly`, `@monthly` and `@yearly` work too."},
    {"interval", &JobArgs::interval, "none", "1m..365d",
     "time between two runs; replaces `schedule`\nThe first run follows after one interval."},
    {"executors", Own<JobArgs>{"list of executors", read_executors}, "required", "",
     "executors that run one after the other\nEach one starts when the previous one has finished, "
     "also after a failure."},
}};

void read_executor(Reading& in, const Text& text, const std::string& owner, const std::string& tag,
                   std::vector<PluginIndex>& out) {
    std::string use = text.value;
    if (in.find_tag(use) != nullptr) use.insert(0, "$");  // a bare tag
    if (const auto index = read_use(in, use, Wanted::executor, {owner, tag, text.line}))
        out.push_back(*index);
}

void check_when(Reading& in, const JobArgs& args, const std::string& owner, int line) {
    if (args.schedule.empty() != args.interval.has_value()) {
        in.report().error(line, owner + ": expected either 'schedule' or 'interval'");
    } else if (!args.schedule.empty()) {
        const auto time = CronTime::parse(args.schedule);
        if (!time) {
            in.report().error(line, "'schedule' of " + owner + ": " + time.error().text);
            return;
        }
        const auto next = time->next({}, "UTC");
        if (next && !*next)
            in.report().error(line, "'schedule' of " + owner + ": " +
                                        matchers::quoted(args.schedule) +
                                        " never occurs: correct day and month");
    }
}

void read_jobs(Reading& in, const Node& node, const Place& place, Cron& out) {
    if (!node.is_list() || node.items.empty()) {
        in.report().error(place.line,
                          place.name() + ": expected a list with at least one job, found " +
                              (node.is_list() ? "an empty list" : std::string(node.what())));
        return;
    }
    std::size_t number = 0;
    for (const Node& item : node.items) {
        const std::string owner =
            "job " + std::to_string(++number) + " of " + std::string(place.owner);
        JobArgs args;
        const std::size_t errors = in.report().error_count();
        if (!read_rows(in, item, kJobRows, owner, args)) continue;
        const bool twice = std::any_of(out.jobs.begin(), out.jobs.end(),
                                       [&](const CronJob& j) { return j.name == args.name; });
        if (twice)
            in.report().error(
                item.line, owner + ": the name " + matchers::quoted(args.name) + " is given twice");
        if (in.report().error_count() == errors) check_when(in, args, owner, item.line);
        CronJob job{
            args.name, args.schedule, args.interval.value_or(Milliseconds(0)), {}, item.line};
        const std::string tag = out.tag + "." + args.name;
        std::size_t place_of = 0;
        for (const Text& text : args.executors)
            read_executor(in, text, owner, tag + "[" + std::to_string(++place_of) + "]",
                          job.executors);
        out.jobs.push_back(std::move(job));
    }
}

void read_timezone(Reading& in, const Node& node, const Place& place, Cron& out) {
    if (!read_value(in, node, place, {}, out.timezone)) return;
    if (const auto zone = check_time_zone(out.timezone); !zone)
        in.report().error(place.line, place.name() + ": " + zone.error().text +
                                          "; expected one such as Europe/Berlin or UTC");
}

constexpr std::array<Row<Cron>, 2> kCronRows{{
    {"jobs", Own<Cron>{"list of jobs", read_jobs}, "required", "", "the jobs and their times"},
    {"timezone", Own<Cron>{"text", read_timezone}, "(the system's)", "",
     "time zone of `schedule`, as in `Asia/Shanghai`"},
}};

void read_cron(Reading& in, const Node* node, Plugin& plugin) {
    Cron args;
    args.tag = plugin.tag;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kCronRows, owner_of(plugin), args);
    plugin.args = std::move(args);
}

}  // namespace

const PluginType kCronType{
    "cron",
    Role::executor,
    "Runs executors at fixed times or intervals: `download`, `reload`, `reload_provider`, `sleep`, "
    "`debug_print` (which writes to the log), and sequences of these.\n\nA job has no query, so "
    "executors and matchers that need one are rejected. If a job is still running at its next "
    "time, that run is skipped. Other plugins cannot refer to a cron.",
    "",
    "",
    [] { return row_texts(kCronRows); },
    read_cron,
    nullptr,
    {.reference = [](std::ostream& out) { write_part(out, "jobs[]", row_texts(kJobRows)); }}};

}  // namespace steer::config
