#include "dataplane/port/dpdk_log.h"

#include <rte_log.h>

#include <cstdlib>
#include <string_view>

namespace steer {

DpdkLog::DpdkLog() : stream_(open_memstream(&text_, &size_)) {
    rte_openlog_stream(stream_);
}

DpdkLog::~DpdkLog() {
    rte_openlog_stream(stderr);
    if (stream_ != nullptr) std::fclose(stream_);
    std::free(text_);
}

std::string DpdkLog::last_line() {
    if (stream_ == nullptr) return {};
    std::fflush(stream_);
    std::string_view all(text_, size_);
    while (all.ends_with('\n'))
        all.remove_suffix(1);
    const std::size_t start = all.rfind('\n');
    return std::string(start == all.npos ? all : all.substr(start + 1));
}

std::string DpdkLog::in_brackets() {
    const std::string line = last_line();
    return line.empty() ? line : " (" + line + ")";
}

}  // namespace steer
