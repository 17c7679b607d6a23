#include "tools/import/adguardhome_rewrites.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "tools/import/adguardhome_words.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

class RewriteReader {
  public:
    explicit RewriteReader(BlockerModel& model) : m_(model) {}

    void read(const Tree& list) {
        for (const Tree& item : list.items)
            one_rewrite(item);
        for (const Record& record : m_.records)
            if (!record.disabled) leave_out(record.name);
        for (const std::string& name : passed_)
            leave_out(name);
        for (auto& [domain, answer] : wide_) {
            std::ranges::sort(answer.except);
            answer.except.erase(std::unique(answer.except.begin(), answer.except.end()),
                                answer.except.end());
            m_.wide.push_back(std::move(answer));
        }
        std::ranges::stable_sort(m_.wide, std::greater(),
                                 [](const WideAnswer& w) { return label_count(w.domain); });
        const auto circles = drop_circles(m_.records);
        m_.notes.insert(m_.notes.end(), circles.begin(), circles.end());
    }

  private:
    // The answers of the domains above a name are not for that name.
    void leave_out(const std::string& name) {
        for (auto dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
            if (const auto at = wide_.find(name.substr(dot + 1)); at != wide_.end())
                at->second.except.push_back(name);
    }

    void one_rewrite(const Tree& item) {
        const std::string domain = lowered(item.get("domain"));
        const std::string answer(item.get("answer"));
        const auto refuse = [&](const std::string& why) {
            m_.notes.push_back({line_place(item.line), "the rewrite of " + in_quotes(domain) +
                                                           " is not imported: " + why});
        };
        const bool is_wide = domain.starts_with("*.");
        const std::string name = plain_name(is_wide ? domain.substr(2) : domain);
        if (const std::string why = name_error(name); !why.empty())
            return refuse("the name " + why);
        const bool enabled = item.find("enabled") == nullptr || is_on(item.get("enabled"));
        const bool is_address = is_v4(answer) || is_v6(answer);
        if (answer == "A" || answer == "AAAA")
            return refuse("answers of the upstream for one type have no counterpart");
        const std::string target = is_address ? "" : plain_name(answer);
        if (!is_address && !name_error(target).empty())
            return refuse("its answer is neither an address nor a name");
        if (is_wide) {
            if (!enabled) return refuse("it is not enabled");
            if (!is_address && target.ends_with("." + name))
                return refuse("its target is below the domain itself");
            WideAnswer& to = wide_[name];
            to.domain = name;
            if (is_address) {
                to.addresses.push_back(answer);
            } else {
                to.alias = target;
                to.addresses.clear();
            }
            if (!to.alias.empty()) to.addresses.clear();
            return;
        }
        if (!is_address && target == name) {  // the name keeps its own answers
            if (enabled) passed_.push_back(name);
            return;
        }
        Record record;
        record.name = name;
        record.place = line_place(item.line);
        record.disabled = !enabled;
        if (is_address) {
            record.data.add("address", answer);
        } else {
            record.type = "CNAME";
            record.alias = target;
            record.data.add("cname", target);
        }
        record.data.add("ttl", "10s");
        m_.records.push_back(std::move(record));
    }

    BlockerModel& m_;
    std::map<std::string, WideAnswer> wide_;
    std::vector<std::string> passed_;  // full names that keep their own answers
};

}  // namespace

void read_rewrites(const Tree& list, BlockerModel& model) {
    RewriteReader(model).read(list);
}

}  // namespace steer::importing
