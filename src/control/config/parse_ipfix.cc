// SPDX-License-Identifier: BSD-3-Clause
// logging.ipfix.
#include <algorithm>

#include "control/config/parse.h"

namespace postern::config {

bool Ipfix::exports(IpfixRecords what) const {
  if (records.empty()) return what == IpfixRecords::sessions;
  return std::find(records.begin(), records.end(), what) != records.end();
}

void parse_ipfix(Section& section, Ipfix& ipfix) {
  if (auto field = section.find("collector")) parse_target(*field, ipfix.collector, ipfix.port);
  section.word("transport", ipfix.transport);
  section.number("domain", ipfix.domain);
  section.duration("template_refresh", ipfix.template_refresh);
  for (const Field& field : section.find_list("records")) {
    if (auto word = read_word(field)) ipfix.records.push_back(static_cast<IpfixRecords>(*word));
  }
  section.finish();
}

}  // namespace postern::config
